"""Encryption of stored values, and hashes of passwords."""
