"""What is wrong with data: images that cannot be read, duplicates, missing classes."""
