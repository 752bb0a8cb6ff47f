"""Rows that are not decoded yet → what orjson may write of them.

A function is generated for each choice of fields: a dictionary display is three times as fast as a loop over names.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import orjson
from pydantic_core import to_jsonable_python

from fastapi_easy.domain import Kind, Resource, Rows
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.numbers import decimal_text

JsonObjects: TypeAlias = list[dict[str, object]]
_Serialize: TypeAlias = Callable[[Sequence[Sequence[object]]], JsonObjects]
_Write: TypeAlias = Callable[[Any], object]

_CACHE_SIZE: Final = 64
"""Functions kept for one resource, one for each choice of fields; when there are more, the oldest goes."""


class RecordSerializer:
    """Shows the rows of one resource as its derived read schema does."""

    def __init__(self, resource: Resource[Any]) -> None:
        self._readable = resource.readable
        self._naming = resource.naming
        self._writers = {
            name: write
            for name in resource.readable
            if (write := _writer(resource.fields[name].kind, resource.fields[name].item)) is not None
        }
        self._cache: dict[tuple[tuple[str, ...], frozenset[str]], _Serialize] = {}

    def __call__(self, rows: Rows, fields: Sequence[str] | None) -> JsonObjects | None:
        """Return *rows* with *fields*, or all readable ones; `None` when they have others, or are decoded already."""
        records = rows.records
        if records is None or rows.fields != tuple(fields or self._readable):
            return None
        form = rows.fields, frozenset(rows.texts)
        serialize = self._cache.get(form)
        if serialize is None:
            if len(self._cache) >= _CACHE_SIZE:
                _ = self._cache.pop(next(iter(self._cache)), None)
            serialize = self._cache[form] = self._make(*form)
        return serialize(records)

    def _make(self, fields: Sequence[str], texts: frozenset[str]) -> _Serialize:
        writers: dict[str, _Write] = {"decimal_text": decimal_text}
        members = []
        for place, name in enumerate(fields):
            value = f"record[{place}]"
            write = self._writers.get(name)
            if name in texts:
                # Decimals are texts in JSON, and JSON is itself.
                write = None if write is decimal_text else orjson.Fragment
            if write is decimal_text:
                # Nearly always spelt without an exponent: then nothing has to be called.
                text = f"text_{place}"
                written = f"{text} if 'E' not in ({text} := str({value})) else decimal_text({value})"
                value = f"None if {value} is None else {written}"
            elif write is not None:
                writers[f"write_{place}"] = write
                value = f"None if {value} is None else write_{place}({value})"
            members.append(f"{self._naming.alias_of(name)!r}: {value}")
        source = f"lambda records: [{{{', '.join(members)}}} for record in records]"
        made: _Serialize = eval(source, writers)  # noqa: S307 - of numbers, and names in quotes
        return made


def _writer(kind: Kind, item: Kind | None) -> _Write | None:
    # orjson 3.13 loses the leading zero of 10,000 to 99,999 microseconds in times of day.
    return to_jsonable_python if Kind.TIME in {kind, item} else FORMATS[kind].write_json
