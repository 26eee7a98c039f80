"""Training of one generation, by one process or several."""
