"""Cases about reading from a repository."""
