"""Entries outside the database: archived, exported, and read back."""
