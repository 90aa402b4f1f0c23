"""Horses and humans."""
