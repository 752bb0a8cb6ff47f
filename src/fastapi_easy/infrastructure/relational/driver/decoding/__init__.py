"""How values of the server become those of the declared types."""
