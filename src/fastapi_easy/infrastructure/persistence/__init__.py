"""Repositories and units of work, one folder per technology, each with the same rooms."""
