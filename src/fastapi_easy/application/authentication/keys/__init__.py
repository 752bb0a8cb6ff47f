"""Use cases of API keys: issue, list, revoke."""
