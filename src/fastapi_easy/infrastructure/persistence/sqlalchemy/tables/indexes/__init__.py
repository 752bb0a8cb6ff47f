"""Indexes that a resource needs besides those that its class declares."""
