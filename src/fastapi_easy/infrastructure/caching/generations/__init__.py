"""Generations in the databases whose changes they mark."""
