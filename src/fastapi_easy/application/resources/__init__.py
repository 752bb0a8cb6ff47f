"""What can be asked of a resource: one command and its handler per file."""
