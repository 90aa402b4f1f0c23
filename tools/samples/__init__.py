"""The built-in samples, drawn: stand-ins for photographs, for a run without a download."""
