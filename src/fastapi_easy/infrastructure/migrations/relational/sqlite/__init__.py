"""Steps for SQLite, which alters little itself: most changes build the table anew, from its stored text."""
