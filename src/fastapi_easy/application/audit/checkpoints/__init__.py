"""Signing checkpoints, and sending them to where they cannot be changed."""
