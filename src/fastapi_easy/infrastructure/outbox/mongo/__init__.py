"""The outbox of MongoDB."""
