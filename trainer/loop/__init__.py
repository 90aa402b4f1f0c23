"""The training loop, by hand."""
