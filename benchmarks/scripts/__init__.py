"""Flowers as people write it today, a script each: `python -m benchmarks.scripts.classic`.

Every one takes MODULE TFDS_DIR EPOCHS and prints its test accuracy on its last line.
"""
