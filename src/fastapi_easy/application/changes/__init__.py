"""What use cases that change something are made of."""
