"""The ports on one technology each."""
