"""SQL databases: the engine, the connection pool, transactions and errors, for everything that speaks SQL."""
