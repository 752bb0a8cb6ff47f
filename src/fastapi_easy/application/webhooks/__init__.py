"""Webhooks: delivering messages to them, and looking after them."""
