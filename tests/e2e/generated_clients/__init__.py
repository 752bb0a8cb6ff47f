"""Clients that generators of others make from the document of the bookshop, and what they do with it."""
