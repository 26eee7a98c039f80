"""The configuration: its schema and defaults, checks, and the settings of each lineage."""
