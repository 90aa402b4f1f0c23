"""What every room stands on: errors, whole files, text, signals, the import of TensorFlow."""
