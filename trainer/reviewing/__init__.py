"""What is wrong with data, found by the features of a frozen extractor."""
