"""What every long job needs: devices, memory, signals, snapshots, progress, provenance."""
