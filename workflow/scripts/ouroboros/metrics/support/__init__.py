"""The rest of the initial corpus's distribution in a generated one, and text that was never in it."""
