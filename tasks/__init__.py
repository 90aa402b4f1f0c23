"""The tasks that `--task` knows by name: one module each, one class in it."""
