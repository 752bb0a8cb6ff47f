"""The user's tables and classes, as the store reads them."""
