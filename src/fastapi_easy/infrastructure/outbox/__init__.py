"""Outboxes in the databases whose changes they tell of."""
