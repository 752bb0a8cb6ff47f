"""Tortoise's models, as tables of SQLAlchemy Core."""
