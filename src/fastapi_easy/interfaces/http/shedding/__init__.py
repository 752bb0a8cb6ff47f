"""Requests that are refused before anything is done for them, because too many wait already."""
