"""The relay: publishes what outboxes hold, and looks after them."""
