"""The rules that say how risky a change of a stored schema is, and why."""
