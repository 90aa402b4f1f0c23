"""Checkpoints: what training resumes from, and warm starts from earlier runs."""
