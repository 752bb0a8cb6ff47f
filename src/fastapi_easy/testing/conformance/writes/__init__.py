"""Cases about writing with a repository or a unit of work."""
