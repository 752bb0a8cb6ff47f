"""The migration scripts of an application."""
