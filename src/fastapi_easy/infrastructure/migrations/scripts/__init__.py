"""Migration scripts of Alembic: the reviewed source of plans."""
