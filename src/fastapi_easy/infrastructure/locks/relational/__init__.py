"""Leases in SQL databases."""
