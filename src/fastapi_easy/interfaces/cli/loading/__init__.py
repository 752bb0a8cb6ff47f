"""What helps with programs that cannot be loaded."""
