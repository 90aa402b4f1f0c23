"""What a run came to: measured, drawn, and shown on a page and in TensorBoard."""
