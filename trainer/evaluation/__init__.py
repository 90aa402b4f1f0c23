"""What predictions are worth: measures of labels and scores, in NumPy alone."""
