"""Keys that every client can put into a path: the rule for new entities."""

from collections.abc import Iterable
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Fault, Invalid
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.value_parsing import format_text

NOT_ADDRESSABLE: Final = ("", ".", "..")
"""Texts that are no segment of a path: clients and proxies remove dot segments, percent-encoded or not (RFC 3986,
section 5.2.4; the URL standard of browsers), and an empty one is the path of the collection."""

KEY_CODE: Final = "key_not_addressable"
KEY_MESSAGE: Final = "Must not be empty, '.' or '..': no path leads to such a key"

_KINDS: Final = frozenset({Kind.TEXT, Kind.ENUM, Kind.BINARY})


def text_key_of(resource: Resource[Any]) -> Field | None:
    """Return the only field of the key, if it may hold what no path can spell; composite keys always have a comma."""
    if len(resource.key) > 1:
        return None
    field = resource.fields[resource.key[0]]
    return field if field.kind in _KINDS else None


def is_addressable(value: object) -> bool:
    """Return whether a path can name the entity whose key is *value*."""
    return value is None or format_text(value) not in NOT_ADDRESSABLE


def with_default_key(key: Field | None, values: Values) -> Values:
    """Return *values* with the default that the class has for the *key*, where they leave it out."""
    if key is None or key.name in values:
        return values
    default = key.default if key.default_factory is None else key.default_factory()
    return values if default is UNSET or default is None else {**values, key.name: default}


def reject_unaddressable(key: Field | None, many: Iterable[Values]) -> Failure[Error] | None:
    """Return the refusal of new entities with the values *many* whose *key* no path can name; `None` when all can."""
    if key is None or all(is_addressable(values.get(key.name)) for values in many):
        return None
    return Failure(Invalid((Fault(f"/{key.name}", KEY_MESSAGE, KEY_CODE),)))
