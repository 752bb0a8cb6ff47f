"""What every repository answers."""
