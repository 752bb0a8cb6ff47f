"""Authentication: who calls, by their credentials; API keys, and sessions of browsers."""
