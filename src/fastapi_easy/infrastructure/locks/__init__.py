"""Lease stores, one for each technology."""
