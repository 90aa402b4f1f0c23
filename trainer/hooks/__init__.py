"""What happens between steps: one behaviour a file."""
