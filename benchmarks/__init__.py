"""The trainer side by side with what one would use in its place: `python -m benchmarks`."""
