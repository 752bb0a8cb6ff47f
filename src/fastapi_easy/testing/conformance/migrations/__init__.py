"""Cases that every store of schemas passes."""
