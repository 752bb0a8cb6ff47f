"""Parts of texts in any case, as PostgreSQL's trigram indexes find them.

What decides folds the text of a row, which no index of a user's is on. So `ILIKE` is asked beforehand, which an index
with `gin_trgm_ops` or `gist_trgm_ops` serves, for a pattern that lets pass at least what is meant.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Column, String, Table
from sqlalchemy.dialects import postgresql

from fastapi_easy.infrastructure.relational.server import Server

_OPERATORS: Final = frozenset({"gin_trgm_ops", "gist_trgm_ops"})
_FOLDED_FROM_OTHERS: Final = frozenset("k")
"""ASCII letters that others fold to, which a database may not know: the sign of kelvin becomes a k."""


def columns_with_trigrams(table: Table, server: Server) -> frozenset[str]:
    """Return the keys of the columns of *table* that have an index of trigrams which `ILIKE` can use."""
    if server.name != "postgresql" or not server.folds_ascii:
        return frozenset()
    return frozenset(str(each.key) for index in table.indexes for each in _searched(index))


def _searched(index: Any) -> Iterator[Column[Any]]:
    operators = index.dialect_options["postgresql"]["ops"] or {}
    for each in index.columns:
        named = operators.get(each.key, operators.get(each.name, ""))
        is_plain = isinstance(each.type, String) and not isinstance(each.type, postgresql.CITEXT)
        if str(named).partition("(")[0] in _OPERATORS and is_plain and each.type.collation is None:
            yield each


def narrowing_pattern(pattern: str) -> str:
    """Return the pattern for `ILIKE` that lets pass at least what *pattern* means, which is in lower case.

    *pattern* has the escape character of `parts_of_texts` before what is no wildcard.
    """
    # Databases fold other letters in their own ways, some to more than one.
    return "".join(
        "%" if not each.isascii() else "_" if each in _FOLDED_FROM_OTHERS else each for each in pattern
    )
