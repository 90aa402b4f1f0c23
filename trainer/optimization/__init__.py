"""Optimizers, schedules, losses, precision, averaged weights."""
