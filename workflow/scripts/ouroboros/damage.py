"""What is said of an artifact that does not hold what was written into it."""

from ouroboros.errors import UserError


def damaged(path, why: str) -> UserError:
    """The error for a damaged artifact: its name, what is wrong, and the command that remakes it."""
    return UserError(
        f"{path} is damaged: {why}. Nothing was made of it. Make it again with\n"
        f"    snakemake --cores all --force {path}\n"
        "(and the --configfile that you run with), then run the same command as before."
    )
