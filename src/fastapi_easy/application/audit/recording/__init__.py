"""What is recorded in the audit trail: changes, reads, and what happens to the application's security."""
