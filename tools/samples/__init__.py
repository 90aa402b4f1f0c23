"""Pictures drawn by the program: stand-ins for photographs, for a run without a download."""
