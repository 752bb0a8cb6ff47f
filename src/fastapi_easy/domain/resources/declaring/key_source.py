"""Where the key of a new entity comes from, where a declaration says so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import KeySource
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.time_ordered_ids import new_id

_TEXT_LENGTH: Final = 36
"""Characters of a UUID with its dashes."""


def declare_key(
    source: KeySource | str | None, shape: Shape, fields: dict[str, Field], mistakes: Mistakes
) -> None:
    """Change the key fields among *fields* to what *source* says; `None` leaves them as the class has them."""
    if source is None:
        return
    if source not in set(KeySource):
        mistakes.add(
            f"key is {source!r}: name one of {', '.join(map(repr, map(str, KeySource)))}, or leave it out"
        )
        return
    for name in shape.key:
        if name in fields:
            fields[name] = _with_source(KeySource(source), fields[name], mistakes)


def _with_source(source: KeySource, field: Field, mistakes: Mistakes) -> Field:
    match source:
        case KeySource.CLIENT:
            return replace(field, generated=False, store_default=False)
        case KeySource.STORE:
            return replace(field, generated=True, default=UNSET, default_factory=None, store_default=False)
        case KeySource.UUID7:
            make = _maker(field)
            if make is None:
                mistakes.add(
                    f"key='uuid7' needs a key of UUIDs, or of texts of {_TEXT_LENGTH} characters, and {field.name!r} is"
                    " not one: give it another type, or leave key out"
                )
            return replace(field, generated=False, store_default=False, default=UNSET, default_factory=make)


def _maker(field: Field) -> Callable[[], Any] | None:
    if field.kind is Kind.UUID:
        return new_id
    is_wide = field.max_length is None or field.max_length >= _TEXT_LENGTH
    return _new_text if field.kind is Kind.TEXT and is_wide else None


def _new_text() -> str:
    return str(new_id())
