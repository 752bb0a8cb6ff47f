"""What SQLite needs, whose columns hold values of any type, whatever was declared (ADR 41)."""
