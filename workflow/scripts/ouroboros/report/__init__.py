"""Figures, tables, samples and the page that shows them all."""
