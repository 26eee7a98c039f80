"""Configurations laid over one another, as Snakemake lays a --configfile over config.yaml."""


def overlay(below, above):
    """`above` laid over `below`: mappings are merged, whatever their depth."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: overlay(below.get(key), value) for key, value in above.items()}}


def difference(config: dict, below: dict) -> dict:
    """The mapping that has to be laid over `below` to get `config`."""
    changed = {}
    for key, value in config.items():
        if key not in below:
            changed[key] = value
        elif isinstance(value, dict) and isinstance(below[key], dict):
            if deeper := difference(value, below[key]):
                changed[key] = deeper
        elif value != below[key]:
            changed[key] = value
    return changed
