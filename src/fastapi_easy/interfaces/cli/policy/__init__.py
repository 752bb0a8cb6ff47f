"""The commands below `policy`: why a caller may do something, and who may do what."""
