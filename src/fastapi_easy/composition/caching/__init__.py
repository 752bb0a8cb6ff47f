"""Kept answers: where they are, what ends them, and their lifespan."""
