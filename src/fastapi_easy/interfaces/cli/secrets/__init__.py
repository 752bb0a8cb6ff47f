"""The commands below `secrets`."""
