"""Figures of a run, drawn by matplotlib: each a function from measures to a Figure."""
