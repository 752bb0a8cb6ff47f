"""Credentials that the application itself issues: API keys and sessions."""
