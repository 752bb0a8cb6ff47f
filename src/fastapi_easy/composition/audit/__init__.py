"""The audit trail, wired on an instance of a container."""
