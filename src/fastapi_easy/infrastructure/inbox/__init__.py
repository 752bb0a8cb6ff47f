"""Inboxes in the databases that consumers change."""
