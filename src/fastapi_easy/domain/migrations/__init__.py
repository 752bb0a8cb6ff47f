"""Changes of a stored schema: what they are, how risky they are, and how far their execution has come."""
