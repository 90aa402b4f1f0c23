"""One training on several devices and machines, on TensorFlow's own strategies."""
