"""API keys: their stores, and what verifies them."""
