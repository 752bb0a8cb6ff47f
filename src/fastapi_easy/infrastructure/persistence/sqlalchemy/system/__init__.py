"""The system's own tables in a relational database, and what is written into them beside changes."""
