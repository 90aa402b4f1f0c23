"""What a frozen extractor makes of images, kept on the disk."""
