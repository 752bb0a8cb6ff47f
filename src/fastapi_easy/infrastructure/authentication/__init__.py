"""Authenticators, and what they keep."""
