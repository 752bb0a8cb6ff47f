"""Row-level security of PostgreSQL: a second wall between tenants, behind that of the kernel."""
