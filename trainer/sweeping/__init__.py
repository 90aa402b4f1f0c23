"""Many trials of one task by one start: grids, searches, folds, and the learning rate range test."""
