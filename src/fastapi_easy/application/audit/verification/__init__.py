"""Verifying a trail, and proving what is in it."""
