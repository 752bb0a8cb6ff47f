"""Bodies to show in the documentation: plausible, and accepted unless a rule of the user's own forbids them."""

import uuid
from collections.abc import Iterable
from typing import Any

from fastapi_easy.domain import Field, Kind, Resource
from fastapi_easy.interfaces.http.openapi.documents import Document


def example_of(resource: Resource[Any], purpose: str) -> Document | None:
    """Return an example of the body called *purpose*, where the declaration alone is enough to make one."""
    if resource.schemas.create is not None or resource.schemas.update is not None:
        return None
    match purpose:
        case "Create":
            names = resource.writable
        case "Replace":
            names = resource.changeable
        case "Update":
            return _of(resource, resource.changeable[:1])
        case _:
            return None
    return _of(resource, [name for name in names if resource.fields[name].required])


def _of(resource: Resource[Any], names: Iterable[str]) -> Document | None:
    fields = [resource.fields[name] for name in names]
    if any(field.rules and field.kind is Kind.TEXT and _has_pattern(field) for field in fields):
        return None
    return {field.name: _value(field) for field in fields}


def _has_pattern(field: Field) -> bool:
    return any(getattr(rule, "pattern", None) or getattr(rule, "func", None) for rule in field.rules)


def _value(field: Field) -> object:  # noqa: C901, PLR0911, PLR0912 (one line per kind)
    match field.kind:
        case Kind.TEXT:
            text = field.name.replace("_", " ").capitalize()
            return text[: field.max_length].ljust(field.min_length or 1, ".")
        case Kind.INTEGER:
            return min(max(1, field.minimum or 1), 1 if field.maximum is None else field.maximum)
        case Kind.DECIMAL:
            return "1" if not field.scale else "1.50" if field.scale > 1 else "1.5"
        case Kind.FLOAT:
            return 1.5
        case Kind.BOOLEAN:
            return True
        case Kind.DATE:
            return "2026-11-23"
        case Kind.TIME:
            return "08:30:00"
        case Kind.DATETIME:
            return "2026-11-23T08:30:00Z"
        case Kind.DURATION:
            return "P1DT2H"
        case Kind.UUID:
            return str(uuid.UUID(int=0x5F0C7C0D9F9B4F0F8A7D2F4B3C1E6A90))
        case Kind.BINARY:
            return "aGVsbG8="
        case Kind.ENUM:
            return next(iter(field.enumeration)).value if field.enumeration else field.name
        case Kind.JSON:
            return {}
        case Kind.ARRAY:
            return []
