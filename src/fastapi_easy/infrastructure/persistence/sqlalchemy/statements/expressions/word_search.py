"""Columns of words that PostgreSQL searches by itself: `tsvector`."""

import re
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, func, literal_column
from sqlalchemy.dialects import postgresql

from fastapi_easy.domain.field import Comparison, Field, Kind

CONFIGURATION: Final = "text_search"
"""The key in the `info` of a column of the configuration that its words were made by: `english`."""

_CONFIGURED: Final = re.compile(r"to_tsvector\(\s*'([\w.]+)'", re.IGNORECASE)
_NAME: Final = re.compile(r"[\w.]+")


def vector_field(name: str) -> Field:
    """Return what statements know of the column *name*, which no caller reads or writes."""
    return Field(name=name, kind=Kind.TEXT, nullable=True, comparison=Comparison.NONE)


def is_vector(column: ColumnElement[Any]) -> bool:
    """Return whether *column* is searched for words."""
    return isinstance(column.type, postgresql.TSVECTOR)


def holds_words(column: ColumnElement[Any], words: BindParameter[Any]) -> ColumnElement[bool]:
    """Build the condition that *column* holds all *words*, as web searches read them."""
    found = configuration_of(column)
    text: tuple[ColumnElement[Any], ...] = (
        (words,) if found is None else (literal_column(f"CAST('{found}' AS regconfig)"), words)
    )
    matches: ColumnElement[bool] = column.bool_op("@@")(func.websearch_to_tsquery(*text))
    return matches


def configuration_of(column: ColumnElement[Any]) -> str | None:
    """Return the configuration by which the words of *column* were made; `None` for that of the server."""
    declared = getattr(column, "info", {}).get(CONFIGURATION)
    if declared is not None and _NAME.fullmatch(str(declared)):
        return str(declared)
    computed = getattr(column, "computed", None)
    found = None if computed is None else _CONFIGURED.search(str(computed.sqltext))
    return None if found is None else found[1]
