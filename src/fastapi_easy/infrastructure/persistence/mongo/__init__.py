"""Entities kept in MongoDB, through PyMongo or Motor.

Imports nothing, so that `url` can say which driver is missing.
"""
