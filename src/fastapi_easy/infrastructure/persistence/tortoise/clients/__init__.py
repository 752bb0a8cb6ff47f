"""Tortoise's database clients, on the connection pool of this application."""
