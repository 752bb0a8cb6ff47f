"""How plans are carried out and undone: step by step, so that each can be gone on with after a crash."""
