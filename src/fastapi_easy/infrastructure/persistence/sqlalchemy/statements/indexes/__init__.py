"""Indexes that the declaration of a resource asks for."""
