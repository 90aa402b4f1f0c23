"""The built-in tasks of `--task`: one module each, one class in it."""
