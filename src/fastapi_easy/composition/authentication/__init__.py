"""Which authenticators an application has."""
