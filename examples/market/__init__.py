"""A market on three stores: books in PostgreSQL, carts in SQLite, and what happened in MongoDB."""
