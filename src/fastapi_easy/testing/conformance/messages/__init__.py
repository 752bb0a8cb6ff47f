"""The suites of outboxes and inboxes."""
