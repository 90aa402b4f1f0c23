"""Ten kinds of garments."""
