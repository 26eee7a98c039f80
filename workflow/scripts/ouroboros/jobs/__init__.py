"""Services that long jobs share: a script's frame, devices, memory, signals, snapshots, progress, provenance."""
