"""The steps of PostgreSQL: small transactions, and online rewrites of what would block."""
