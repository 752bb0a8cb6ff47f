"""What database URLs say beyond host and name, as each driver takes it."""
