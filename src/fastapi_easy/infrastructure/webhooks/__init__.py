"""Webhooks: where they are kept, and what posts them."""
