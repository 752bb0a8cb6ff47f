"""The settings of the audit trail."""
