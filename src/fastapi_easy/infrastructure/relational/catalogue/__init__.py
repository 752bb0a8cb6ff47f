"""What a database has, as its catalogue says, and what it should have."""
