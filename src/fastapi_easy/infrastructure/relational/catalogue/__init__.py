"""What the catalogue of a database says of tables that exist."""
