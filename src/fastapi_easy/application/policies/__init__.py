"""What is asked about policies: whether credentials cover an action, why something is allowed, and who may do what."""
