"""Reads CREATE TABLE statements as SQLite stores them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.cursor import Cursor
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.table_text import (
    Clause,
    ColumnText,
    ConstraintText,
    Item,
    TableText,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import Token

_TABLE_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_CLAUSES: Final = frozenset(
    {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "AS"}
    | {"DEFERRABLE"}
)


def parse_table(text: str) -> TableText:
    """Read the CREATE TABLE statement *text*; printed again, it is the same text.

    Raises:
        SqliteRefusal: It is none, or one that this system does not understand, and says where.
    """
    cursor = Cursor(text)
    _ = cursor.expect("CREATE")
    if not cursor.take("TABLE"):
        cursor.fail("not an ordinary table")
    named = cursor.name()
    opening = cursor.expect("(")
    items, spans = _items(cursor)
    closing = cursor.expect(")")
    without_rowid, strict = _options(cursor)
    starts = [opening.end, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), closing.start]
    return TableText(
        name=named.name,
        before_name=text[: named.start],
        spelled=named.text,
        after_name=text[named.end : opening.end],
        items=tuple(items),
        gaps=tuple(text[start:end] for start, end in zip(starts, ends, strict=True)),
        tail=text[closing.start :],
        without_rowid=without_rowid,
        strict=strict,
    )


def parse_column(text: str) -> ColumnText:
    """Read the definition of one column."""
    cursor = Cursor(text)
    found = _column(cursor)
    cursor.expect_end()
    return found


def parse_constraint(text: str) -> ConstraintText:
    """Read one constraint of a table."""
    cursor = Cursor(text)
    found = _table_constraint(cursor)
    cursor.expect_end()
    return found


def _items(cursor: Cursor) -> tuple[list[Item], list[tuple[int, int]]]:
    items: list[Item] = []
    spans: list[tuple[int, int]] = []
    while True:
        start = cursor.token.start
        item = _table_constraint(cursor) if cursor.word in _TABLE_CONSTRAINTS else _column(cursor)
        items.append(item)
        spans.append((start, cursor.last.end))
        # The comma between two constraints of a table may be left out.
        if not cursor.take(",") and not (
            isinstance(item, ConstraintText) and cursor.word in _TABLE_CONSTRAINTS
        ):
            return items, spans


def _options(cursor: Cursor) -> tuple[bool, bool]:
    without_rowid = strict = False
    while not cursor.at_end:
        if cursor.take("WITHOUT"):
            _ = cursor.expect("ROWID")
            without_rowid = True
        elif cursor.take("STRICT"):
            strict = True
        else:
            _ = cursor.expect(",")
    return without_rowid, strict


def _column(cursor: Cursor) -> ColumnText:
    named = cursor.name()
    typed = _type(cursor, named)
    clauses = []
    while not cursor.at_end and cursor.word not in {",", ")"}:
        gap_start = cursor.last.end
        start = cursor.token.start
        constraint = _column_constraint(cursor, named.name)
        clauses.append(Clause(gap=cursor.text[gap_start:start], constraint=constraint))
    return replace(typed, clauses=tuple(clauses))


def _type(cursor: Cursor, named: Token) -> ColumnText:
    first: Token | None = None
    while not cursor.at_end and cursor.token.is_name and not _begins_clause(cursor):
        first = first or cursor.token
        cursor.advance()
    if first is None:
        return ColumnText(name=named.name, spelled=named.text)
    if cursor.word == "(":
        _ = cursor.parenthesis()
    return ColumnText(
        name=named.name,
        spelled=named.text,
        type_gap=cursor.text[named.end : first.start],
        type=cursor.text[first.start : cursor.last.end],
    )


def _begins_clause(cursor: Cursor) -> bool:
    return cursor.word in _CLAUSES or (cursor.word == "GENERATED" and cursor.following == "ALWAYS")


def _constraint_name(cursor: Cursor) -> str | None:
    return cursor.name().name if cursor.take("CONSTRAINT") else None


def _column_constraint(cursor: Cursor, column: str) -> ConstraintText:
    start = cursor.token.start
    name = _constraint_name(cursor)
    if name is not None and cursor.word in {"", ",", ")", "CONSTRAINT"}:
        found = ConstraintText(kind="name", text="")
    else:
        read = _COLUMN_CLAUSES.get(cursor.word)
        if read is None:
            cursor.fail("not a clause of a column that this system knows")
        found = read(cursor)
    return replace(
        found, name=name, columns=found.columns or (column,), text=cursor.text[start : cursor.last.end]
    )


def _table_constraint(cursor: Cursor) -> ConstraintText:
    start = cursor.token.start
    name = _constraint_name(cursor)
    if name is not None and cursor.word not in _TABLE_CONSTRAINTS - {"CONSTRAINT"}:
        found = ConstraintText(kind="name", text="")
    elif cursor.take("FOREIGN"):
        _ = cursor.expect("KEY")
        columns = cursor.names()
        found = replace(_references(cursor), columns=columns)
    elif cursor.take("CHECK"):
        found = ConstraintText(kind="check", text="", expression=cursor.parenthesis())
        _on_conflict(cursor)
    elif cursor.take("UNIQUE"):
        found = ConstraintText(kind="unique", text="", columns=cursor.names())
        _on_conflict(cursor)
    else:
        _ = cursor.expect("PRIMARY")
        _ = cursor.expect("KEY")
        found = ConstraintText(kind="primary key", text="", columns=cursor.names())
        _on_conflict(cursor)
    return replace(found, name=name, text=cursor.text[start : cursor.last.end])


def _on_conflict(cursor: Cursor) -> None:
    if cursor.word == "ON" and cursor.following == "CONFLICT":
        cursor.advance(3)


def _primary_key(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("PRIMARY")
    _ = cursor.expect("KEY")
    if cursor.word in {"ASC", "DESC"}:
        cursor.advance()
    _on_conflict(cursor)
    _ = cursor.take("AUTOINCREMENT")
    return ConstraintText(kind="primary key", text="")


def _not(cursor: Cursor) -> ConstraintText:
    if cursor.following == "DEFERRABLE":
        return _deferrable(cursor)
    _ = cursor.expect("NOT")
    _ = cursor.expect("NULL")
    _on_conflict(cursor)
    return ConstraintText(kind="not null", text="")


def _null(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("NULL")
    _on_conflict(cursor)
    return ConstraintText(kind="null", text="")


def _unique(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("UNIQUE")
    _on_conflict(cursor)
    return ConstraintText(kind="unique", text="")


def _check(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("CHECK")
    return ConstraintText(kind="check", text="", expression=cursor.parenthesis())


def _default(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("DEFAULT")
    start = cursor.token.start
    if cursor.word == "(":
        _ = cursor.parenthesis()
    else:
        cursor.advance(2 if cursor.word in {"+", "-"} else 1)
    return ConstraintText(kind="default", text="", expression=cursor.text[start : cursor.last.end])


def _collate(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("COLLATE")
    return ConstraintText(kind="collate", text="", expression=cursor.name().name)


def _generated(cursor: Cursor) -> ConstraintText:
    if cursor.take("GENERATED"):
        _ = cursor.expect("ALWAYS")
    _ = cursor.expect("AS")
    expression = cursor.parenthesis()
    if cursor.word in {"STORED", "VIRTUAL"}:
        cursor.advance()
    return ConstraintText(kind="generated", text="", expression=expression)


def _deferrable(cursor: Cursor) -> ConstraintText:
    _ = cursor.take("NOT")
    _ = cursor.expect("DEFERRABLE")
    if cursor.take("INITIALLY"):
        cursor.advance()
    return ConstraintText(kind="deferrable", text="")


def _references(cursor: Cursor) -> ConstraintText:
    _ = cursor.expect("REFERENCES")
    table = cursor.name().name
    referred = cursor.names() if cursor.word == "(" else ()
    while True:
        if cursor.take("MATCH"):
            _ = cursor.name()
        elif cursor.word == "ON" and cursor.following in {"DELETE", "UPDATE", "INSERT"}:
            cursor.advance(2)
            # SET NULL, SET DEFAULT and NO ACTION have two words, CASCADE and RESTRICT one.
            cursor.advance(2 if cursor.word in {"SET", "NO"} else 1)
        else:
            break
    if cursor.word == "DEFERRABLE" or (cursor.word == "NOT" and cursor.following == "DEFERRABLE"):
        _ = _deferrable(cursor)
    return ConstraintText(kind="references", text="", references=table, referred=referred)


_COLUMN_CLAUSES: Final[dict[str, Callable[[Cursor], ConstraintText]]] = {
    "PRIMARY": _primary_key,
    "NOT": _not,
    "NULL": _null,
    "UNIQUE": _unique,
    "CHECK": _check,
    "DEFAULT": _default,
    "COLLATE": _collate,
    "REFERENCES": _references,
    "DEFERRABLE": _deferrable,
    "GENERATED": _generated,
    "AS": _generated,
}
