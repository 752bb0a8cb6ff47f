"""Leases, and why a lock was not acquired or was lost."""
