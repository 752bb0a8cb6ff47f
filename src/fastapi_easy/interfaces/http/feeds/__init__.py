"""Change feeds: server-sent events, and the same on a WebSocket."""
