"""What fastapi_easy costs, measured beside the same API written otherwise: `make bench`."""
