"""What stands around calls: observation, retries and breakers, idempotency keys, rate limits."""
