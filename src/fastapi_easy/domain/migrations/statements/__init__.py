"""What SQL that somebody wrote by hand does to a schema, as far as it can be read."""
