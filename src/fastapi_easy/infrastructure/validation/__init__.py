"""What callers may give, checked by pydantic."""

from fastapi_easy.infrastructure.validation.mistakes import find_schema_mistakes
from fastapi_easy.infrastructure.validation.naming import with_aliases
from fastapi_easy.infrastructure.validation.validator import PydanticValidator

__all__ = ["PydanticValidator", "find_schema_mistakes", "with_aliases"]
