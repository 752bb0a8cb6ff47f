"""The steps around every use case."""
