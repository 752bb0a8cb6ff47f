"""What the catalogues of servers say of tables, in one form for all."""
