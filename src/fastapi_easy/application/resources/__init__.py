"""The operations on a resource: one command and its handler per file."""
