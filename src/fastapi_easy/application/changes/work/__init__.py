"""Units of work of changes: how they are made, when they are not needed, and how they end."""
