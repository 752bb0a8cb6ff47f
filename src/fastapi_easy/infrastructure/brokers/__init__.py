"""Message brokers behind the port `Broker`, one module each."""
