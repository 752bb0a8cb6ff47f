"""A small real shop: authors, books, orders and their lines, with seed data and two actions of its own."""
