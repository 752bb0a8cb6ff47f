"""Commands sent to MongoDB, and the connections they are sent on."""
