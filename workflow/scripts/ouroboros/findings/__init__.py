"""The paper's findings, each tested on the measurements."""
