"""What a door answered, in a form that can be compared and searched."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_SHORTEST: Final = 4
"""Characters of a text that is told apart from others; shorter ones may be anybody's."""

_SMALLEST: Final = 1000
"""A number that is told apart from others; smaller ones are counts, versions and generated keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one question.

    Attributes:
        done: Whether what was asked was done, and was done to something.

        content: Everything that was answered, as JSON has it.

        kind: The status or the code.

        cursor: Where the next page begins, if there is one, to be handed back as it is.

        version: The version of the entity, if there was one.
    """

    done: bool
    content: Any
    kind: str
    cursor: Any = None
    version: str | None = field(default=None, compare=False)

    @property
    def told(self) -> str:
        """Everything that a caller learns from it, in a form that can be compared."""
        return f"{self.kind} {json.dumps(self.content, sort_keys=True, default=str)}"


def leaves(content: Any) -> Iterator[Any]:
    """Yield every value in *content* that is neither an object nor a list."""
    if isinstance(content, Mapping):
        for value in content.values():
            yield from leaves(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from leaves(value)
    else:
        yield content


def normal_form(value: Any) -> str:
    """Return *value* in one spelling: numbers without the zeros that do not count."""
    text = str(value)
    try:
        return f"{Decimal(text).normalize():f}" if text[:1] in "-0123456789" else text
    except InvalidOperation:
        return text


def telling_values(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the values of *rows* by which they would be recognised."""
    return {normal_form(value) for row in rows for value in leaves(list(row.values())) if _is_telling(value)}


def find_told(
    content: Any, secrets: Collection[str], marks: Collection[str], given: Collection[str] = ()
) -> str | None:
    """Return the first of *secrets* that *content* holds, or a text with one of *marks* in it; `None` if none is.

    What the caller has *given* themselves tells them nothing.
    """
    for value in leaves(content):
        if value is None or isinstance(value, bool):
            continue
        text = normal_form(value)
        if text in given:
            continue
        if text in secrets or any(mark in text for mark in marks):
            return text
    return None


def _is_telling(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, str):
        return len(value) >= _SHORTEST and not _is_common(value)
    return isinstance(value, int | float | Decimal) and abs(float(value)) >= _SMALLEST


def _is_common(text: str) -> bool:
    """Return whether *text* is a moment, a small number or another text that many entities share."""
    try:
        return abs(Decimal(text)) < _SMALLEST
    except InvalidOperation:
        return text.startswith(("2026-", "08:", "PT"))
