"""Which endpoint a request goes to, and what the request is called."""
