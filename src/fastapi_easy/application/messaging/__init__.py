"""Messages as a way in: what becomes of them, once each."""
