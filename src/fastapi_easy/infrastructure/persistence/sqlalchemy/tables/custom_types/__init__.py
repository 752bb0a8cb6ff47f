"""Column types of users, which store values in their own way."""
