"""The commands below `webhooks`."""
