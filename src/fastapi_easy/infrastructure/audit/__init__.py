"""The audit trail in the databases whose changes it tells of, its keys, and what is kept of it outside."""
