"""What is left of the initial corpus's distribution, and what was never in it."""
