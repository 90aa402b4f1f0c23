"""What is done with a finished run: its model, its evaluation, its predictions."""
