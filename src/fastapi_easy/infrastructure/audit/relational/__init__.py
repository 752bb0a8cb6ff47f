"""The audit trail of a relational database."""
