"""One trial: its data, its program, its training."""
