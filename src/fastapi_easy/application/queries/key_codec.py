"""The keys of entities as URL path segments and as Python values."""

import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Fault, Invalid, Key, Outcome
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import format_text, parse_value, read_text

_DIGITS: Final = 18
"""Decimal digits that fit into 64 bits whatever they are."""


class KeyCodec:
    """Reads and writes the keys of one resource.

    The parts of a composite key are separated by commas; a comma or a tilde inside a part is written `~1` or
    `~0`.

    Attributes:
        plain_digits: How many digits, the first of which is no zero, spell a key whatever they are; 0 where every key
            has to be read.
    """

    def __init__(self, resource: Resource[object]) -> None:
        self._fields = tuple(resource.fields[name] for name in resource.key)
        self._aliases = tuple(resource.naming.alias_of(name) for name in resource.key)
        self._text_readers = tuple(
            FORMATS[field.kind].read_text if field.other_values is None and field.check is None else read_text
            for field in self._fields
        )
        only = self._fields[0]
        is_plain = len(self._fields) == 1 and only.kind is Kind.INTEGER
        self.plain_digits = _DIGITS if is_plain and only.other_values is None and only.check is None else 0
        self._value_readers = (parse_value,) * len(self._fields)

    def read(self, segment: str) -> Outcome[Key]:
        """Parse the percent-decoded path *segment* into a key.

        Fails with:
            Invalid: It spells none.
        """
        if len(self._fields) == 1:
            return self._read_parts([segment], self._text_readers)
        return self._read_parts(
            [part.replace("~1", ",").replace("~0", "~") for part in segment.split(",")], self._text_readers
        )

    def check(self, key: Key) -> Outcome[Key]:
        """Check *key*, a value, or a sequence of the values of a composite key.

        Fails with: as `read`.
        """
        if len(self._fields) == 1:
            return self._read_parts([key], self._value_readers)
        parts = key if isinstance(key, Sequence) and not isinstance(key, str) else [key]
        return self._read_parts(parts, self._value_readers)

    def _read_parts(
        self, parts: Sequence[object], readers: Sequence[Callable[[Field, Any], Any]]
    ) -> Outcome[Key]:
        if len(parts) != len(self._fields):
            return Failure(Invalid((Fault("", f"Must be {','.join(self._aliases)}", "key_parts", "path"),)))
        values = []
        for field, alias, part, read in zip(self._fields, self._aliases, parts, readers, strict=True):
            try:
                values.append(read(field, part))
            except ParseError as error:
                return Failure(Invalid((Fault(f"/{alias}", str(error), error.code, "path"),)))
        return Success(values[0] if len(values) == 1 else tuple(values))

    def write(self, key: Key) -> str:
        """Return the percent-encoded path segment for *key*."""
        if type(key) is int:
            return str(key)
        if len(self._fields) == 1:
            return urllib.parse.quote(format_text(key), safe="")
        parts = (format_text(part).replace("~", "~0").replace(",", "~1") for part in key)
        return urllib.parse.quote(",".join(parts), safe=",")
