"""The commands below `keys`."""
