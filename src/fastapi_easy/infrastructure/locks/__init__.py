"""Where leases are kept: one store for each technology."""
