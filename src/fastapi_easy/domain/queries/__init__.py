"""Which entities are read, in which order, and how many at once."""
