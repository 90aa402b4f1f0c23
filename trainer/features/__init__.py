"""Features of images from a frozen extractor, cached on disk."""
