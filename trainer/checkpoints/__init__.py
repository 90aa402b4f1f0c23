"""All that training goes on from, on the disk."""
