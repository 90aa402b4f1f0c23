"""Optimizers, learning rate schedules, losses, mixed precision and averaged weights."""
