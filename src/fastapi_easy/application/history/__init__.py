"""Reading the audit trail of entities, within what a caller may see."""
