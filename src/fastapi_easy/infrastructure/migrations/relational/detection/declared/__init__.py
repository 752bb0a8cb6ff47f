"""What declared tables would be in a database."""
