"""SQL statements, built once and given values on each call."""
