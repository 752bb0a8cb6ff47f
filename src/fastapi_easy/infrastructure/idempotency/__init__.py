"""Where the records of calls with an idempotency key are kept."""
