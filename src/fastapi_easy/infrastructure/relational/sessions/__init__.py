"""The sessions of PostgreSQL behind the connections: what they are told, and whether a pooler shares them out."""
