"""What callers may give, checked by pydantic."""

from fastapi_easy.infrastructure.validation.mistakes import mistakes_in_schemas
from fastapi_easy.infrastructure.validation.naming import named
from fastapi_easy.infrastructure.validation.validator import PydanticValidator

__all__ = ["PydanticValidator", "mistakes_in_schemas", "named"]
