"""Many trials of one task by one start: grids, searches, folds, and a learning rate range test."""
