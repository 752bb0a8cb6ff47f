"""The commands below `audit`."""
