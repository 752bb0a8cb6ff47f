"""Resilience of calls to remote dependencies: circuit breakers, wait queues, retries within a budget."""
