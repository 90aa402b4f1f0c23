"""Readers of data: each returns a source, whose splits hold encoded images."""
