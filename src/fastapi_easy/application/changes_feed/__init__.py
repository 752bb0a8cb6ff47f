"""The change feed: what happened to the entities of a resource, for any number of listeners that poll together."""
