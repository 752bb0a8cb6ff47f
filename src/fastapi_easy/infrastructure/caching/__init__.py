"""Kept answers: where they are, and the generations that end them."""
