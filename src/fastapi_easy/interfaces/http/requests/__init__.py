"""Parts of a request: body, key, headers and time limits."""
