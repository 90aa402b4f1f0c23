"""Dogs of twelve breeds."""
