"""Scripts to start from, each a few marked lines away from `examples/base.py`."""
