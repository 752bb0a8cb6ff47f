"""The definition of a table: its CREATE TABLE statement, taken apart, changed and put together again."""
