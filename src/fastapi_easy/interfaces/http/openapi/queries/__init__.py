"""Queries in OpenAPI: the parameters of lists, the schema of `where`, and the body of a search."""
