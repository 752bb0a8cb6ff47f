"""Bodies and entities in OpenAPI: their schemas, and examples of them."""
