"""Calls with an idempotency key: a change is made once, and a repetition gets the first answer."""
