"""Values inside of JSON columns, and the indexes on them."""
