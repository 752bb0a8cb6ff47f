"""The system's own tables in a relational database."""
