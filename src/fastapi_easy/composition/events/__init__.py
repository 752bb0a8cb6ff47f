"""What stands behind events: the outbox, brokers, and the form in which messages leave."""
