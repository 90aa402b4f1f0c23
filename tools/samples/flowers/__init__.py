"""Five kinds of flowers."""
