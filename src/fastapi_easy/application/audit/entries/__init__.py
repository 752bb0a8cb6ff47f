"""What entries of the audit trail hold."""
