"""FastAPI dependencies in front of the endpoints of resources."""
