"""Canvas, brushes, shapes and scenes that all samples are drawn with."""
