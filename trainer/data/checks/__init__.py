"""Checks of data: unreadable images, duplicates, missing classes, imbalance."""
