"""The paper's claims, each tested on the measurements."""
