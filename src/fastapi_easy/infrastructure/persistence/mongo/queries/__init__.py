"""Queries as MongoDB's filters and pipelines."""
