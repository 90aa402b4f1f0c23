"""What a run tells: on the terminal, in TensorBoard, in files."""
