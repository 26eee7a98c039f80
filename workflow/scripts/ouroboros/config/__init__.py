"""The configuration: schema, defaults, checks, and one dict per lineage."""
