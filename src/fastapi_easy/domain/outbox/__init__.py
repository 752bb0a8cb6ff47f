"""The outbox: messages about changes, written in the transaction of the change and published afterwards."""
