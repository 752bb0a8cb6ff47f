"""What the ASGI scope of a request says: the paths that its caller sees, and its correlation id."""
