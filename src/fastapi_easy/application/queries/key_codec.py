"""The keys of entities as URL path segments and as Python values."""

import urllib.parse
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Fault, Invalid, Key, NotFound, Outcome
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import format_text, other_value, parse_value, read_text

_OTHERWISE: Final[Mapping[str, Callable[[str], object]]] = {"integer_parsing": int, "uuid_parsing": uuid.UUID}
"""What reads spellings that are none here, `+1` or full-width digits, by the code of the refusal."""

_LONGEST: Final = 64
"""Characters of another spelling at most; a longer text is no key at all."""

_DIGITS: Final = 18
"""Decimal digits that fit into 64 bits whatever they are."""


class KeyCodec:
    """Reads and writes the keys of one resource.

    The parts of a composite key are separated by commas; a comma or a tilde inside a part is written `~1` or
    `~0`. A key has one spelling: `/books/01` is not `/books/1`, and neither is it the key of any other number.

    Attributes:
        plain_digits: How many digits, the first of which is no zero, spell a key whatever they are; 0 where every key
            has to be read.
    """

    def __init__(self, resource: Resource[object]) -> None:
        self._resource = resource
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
        self._spellings = tuple(FORMATS[field.kind].is_key_spelling for field in self._fields)

    def read(self, segment: str) -> Outcome[Key]:
        """Parse the percent-decoded path *segment* into a key.

        Fails with:
            Invalid: It spells none.

            NotFound: It spells one in another way than its own.
        """
        if len(self._fields) == 1:
            return self._spelt(self._read_parts([segment], self._text_readers), [segment])
        parts = [part.replace("~1", ",").replace("~0", "~") for part in segment.split(",")]
        return self._spelt(self._read_parts(parts, self._text_readers), parts)

    def _spelt(self, read: Outcome[Key], parts: Sequence[str]) -> Outcome[Key]:
        """Return *read*, unless its *parts* are spelt in another way than its own."""
        if not isinstance(read, Failure):
            for part, is_spelling in zip(parts, self._spellings, strict=True):
                if is_spelling is not None and not is_spelling(part):
                    return self._read_other_spelling(read.unwrap(), parts)
        return read

    def _read_other_spelling(self, key: Key, parts: Sequence[str]) -> Outcome[Key]:
        """Return *key*, whose *parts* are spelt in another way, where stores keep them as they are spelt."""
        values = []
        for field, part, value in zip(
            self._fields, parts, [key] if len(self._fields) == 1 else key, strict=True
        ):
            is_spelling = FORMATS[field.kind].is_key_spelling
            if is_spelling is None or isinstance(value, UnexpectedValue) or is_spelling(part):
                values.append(value)
            elif (other := other_value(field, part)) is not None:
                values.append(other)
            else:
                return Failure(NotFound(self._resource.name, key))
        return Success(values[0] if len(values) == 1 else tuple(values))

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
                if readers is self._text_readers and _spells_otherwise(error.code, part):
                    return Failure(NotFound(self._resource.name, part))
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


def _spells_otherwise(code: str, part: object) -> bool:
    """Return whether the text *part* is what others would read as the value that it was refused as with *code*."""
    reads = _OTHERWISE.get(code)
    if reads is None or not isinstance(part, str) or len(part) > _LONGEST:
        return False
    try:
        _ = reads(part)
    except ValueError:
        return False
    return True
