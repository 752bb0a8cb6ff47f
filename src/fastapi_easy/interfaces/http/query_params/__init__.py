"""Query parameters as a FastAPI dependency."""
