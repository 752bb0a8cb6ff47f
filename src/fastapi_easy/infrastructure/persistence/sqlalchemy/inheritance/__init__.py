"""Joined inheritance: entities that are stored in several tables."""
