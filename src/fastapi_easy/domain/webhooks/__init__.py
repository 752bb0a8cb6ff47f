"""Webhooks: messages of the outbox, posted to addresses outside."""
