"""The commands below `tenants`."""
