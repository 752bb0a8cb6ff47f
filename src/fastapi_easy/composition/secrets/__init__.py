"""What encrypts fields and hashes passwords, and what is wired to it."""
