"""What differs between the stored schema of a relational database and the declared one (ADR 49)."""
