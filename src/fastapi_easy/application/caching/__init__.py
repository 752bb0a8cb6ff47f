"""Answers that are kept, and given again while nothing they depend on has changed."""
