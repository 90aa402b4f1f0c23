"""From the options of a run to its data, its batches, and the classes that it names."""
