"""Whether MySQL and MariaDB copy a table for a change of type, or only note it."""

import re
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.rules.type_changes import compare_types, copies_mysql
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.column_definition import (
    ColumnDefinition,
)
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import MySQLTable

_OF_COLUMN: Final = re.compile(
    r"\bCHARACTER SET (\w+)|\bCHARSET (\w+)|\bCOLLATE (\w+?)(?:_\w+)?(?!\w)", re.IGNORECASE
)
_OF_TABLE: Final = re.compile(r"\bCHARSET=(\w+)")
_BYTES: Final = {"latin1": 1, "ascii": 1, "binary": 1, "ucs2": 2, "utf8": 3, "utf8mb3": 3}
_MOST: Final = 4


def copies_table(change: Change, before: ColumnDefinition, stored: MySQLTable | None) -> bool:
    """Return whether the server copies the table for *change*; what nobody knows counts as a copy.

    Args:
        change: Of a type or a collation.

        before: The definition of the column.

        stored: The table; `None` when it is not known.
    """
    known = change.facts.get("rewrites")
    if known is not None:
        return known
    one, other = change.facts.get("type_before"), change.facts.get("type_after")
    if change.kind is not ChangeKind.CHANGE_TYPE or one is None or other is None:
        return True
    types = compare_types(one, other, "mysql")
    return any(copies_mysql(types, each) for each in _bytes_of_character(before, stored))


def _bytes_of_character(column: ColumnDefinition, table: MySQLTable | None) -> tuple[int, ...]:
    """Return how many bytes a character takes at most, or every possibility."""
    found = _OF_COLUMN.search(column.type) or _OF_TABLE.search("" if table is None else table.text)
    if found is None:
        return tuple({*_BYTES.values(), _MOST})
    return (_BYTES.get(next(filter(None, found.groups())).lower(), _MOST),)
