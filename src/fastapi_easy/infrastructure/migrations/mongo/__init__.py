"""The stored schema of MongoDB databases: collections, validators and indexes, and the ledger beside them."""
