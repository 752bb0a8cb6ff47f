"""The resources in the app's OpenAPI document."""
