"""The server that `fastapi-easy run` starts."""
