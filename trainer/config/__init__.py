"""The options of a run, in groups, each with its own bounds."""
