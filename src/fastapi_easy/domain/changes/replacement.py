"""The values that a replace gives to the fields it leaves out."""

from collections.abc import Mapping
from typing import Any

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import STORE_DEFAULT, UNSET, Field


def replacement_of(field: Field) -> object:
    """Return what *field* gets when a replace leaves it out; `UNSET` when a value is needed.

    That is what a new entity would get, and for a field that every change sets anew, what a change sets.
    """
    if field.update_default:
        return STORE_DEFAULT
    if (default := _python_default(field)) is not UNSET:
        return default
    if field.store_default:
        return STORE_DEFAULT
    return None if field.nullable or field.filled_by_rule else UNSET


def resolve_store_defaults(fields: Mapping[str, Field], values: Values) -> dict[str, Any]:
    """Return *values* with Python's defaults, or null, in place of those of a store that has none of its own."""
    return {
        name: _default_or_null(fields[name]) if value is STORE_DEFAULT else value
        for name, value in values.items()
    }


def _default_or_null(field: Field) -> Any:
    default = _python_default(field)
    return None if default is UNSET else default


def _python_default(field: Field) -> Any:
    return field.default if field.default_factory is None else field.default_factory()
