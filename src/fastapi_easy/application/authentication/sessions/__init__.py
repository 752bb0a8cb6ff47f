"""Use cases of sessions: log in, log out."""
