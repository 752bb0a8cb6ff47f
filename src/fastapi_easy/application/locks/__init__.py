"""Everything about locks that is the same for every store."""
