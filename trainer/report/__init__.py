"""What a run reports: on the terminal, in TensorBoard, in files."""
