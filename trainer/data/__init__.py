"""From a name or a folder to batches of images."""

SPLITS = ("train", "validation", "test")
