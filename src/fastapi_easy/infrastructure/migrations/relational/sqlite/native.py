"""The changes of a table that SQLite makes itself, without building it anew."""

from collections.abc import Mapping, Sequence
from typing import Final

from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateForeignKeyOp,
    CreateTableCommentOp,
    DropColumnOp,
    DropTableCommentOp,
)
from sqlalchemy.engine import Dialect

from fastapi_easy.infrastructure.migrations.relational.operations import Detected, ReplaceColumnOp
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.parsing import parse_column
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    TokenKind,
    fold,
    meaningful,
    quote,
    split_tokens,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.rendering import render_column
from fastapi_easy.infrastructure.migrations.relational.sqlite.table_changes import added_references

_CONSTANT_WORDS: Final = frozenset({"NULL", "TRUE", "FALSE"})
_LITERALS: Final = frozenset({TokenKind.NUMBER, TokenKind.STRING, TokenKind.BLOB})


def native_statements(
    table: str, detected: Sequence[Detected], fill: Mapping[str, str], dialect: Dialect
) -> list[tuple[AddColumnOp | DropColumnOp, str]] | None:
    """Return a statement for each of *detected*; `None` if SQLite may not be able to make one of them itself.

    Whether it can drop a column is for the caller to try: indexes, views and triggers have a say.

    Args:
        table: The name of the table.

        detected: The changes of its definition.

        fill: What rows get in new columns, by column; only a new table can be given it without firing triggers.

        dialect: SQLite's.
    """
    references = added_references(detected, dialect)
    found: list[tuple[AddColumnOp | DropColumnOp, str]] = []
    for each in detected:
        operation = each.operation
        if isinstance(operation, CreateForeignKeyOp) and fold(operation.local_cols[0]) in references:
            continue
        if isinstance(operation, DropColumnOp):
            found.append(
                (operation, f"ALTER TABLE {quote(table)} DROP COLUMN {quote(operation.column_name)}")
            )
            continue
        if not isinstance(operation, AddColumnOp) or operation.column.primary_key:
            return None
        definition = render_column(operation.column, dialect, references.get(fold(operation.column.name), ""))
        if fold(operation.column.name) in fill or not _can_be_added(definition):
            return None
        found.append((operation, f"ALTER TABLE {quote(table)} ADD COLUMN {definition}"))
    return found


def changes_nothing(detected: Detected) -> bool:
    """Tell whether SQLite has nothing that *detected* could change: comments and identities."""
    operation = detected.operation
    if isinstance(operation, CreateTableCommentOp | DropTableCommentOp):
        return True
    if isinstance(operation, ReplaceColumnOp):
        return operation.what not in {"computed", "collation"}
    return (
        isinstance(operation, AlterColumnOp)
        and operation.modify_type is None
        and operation.modify_nullable is None
        and operation.modify_name is None
        and operation.modify_server_default is False
    )


def _can_be_added(definition: str) -> bool:
    column = parse_column(definition)
    generated = column.clause("generated")
    if generated is not None:
        return meaningful(split_tokens(generated.text))[-1].word != "STORED"
    if column.clause("unique") is not None:
        return False
    default = column.clause("default")
    if default is None:
        return True
    is_null = default.expression.strip("() ").upper() == "NULL"
    return _is_constant(default.expression) and (is_null or column.clause("references") is None)


def _is_constant(expression: str) -> bool:
    tokens = meaningful(split_tokens(expression))
    while len(tokens) > 2 and tokens[0].text == "(" and tokens[-1].text == ")":  # noqa: PLR2004 (parentheses and a term)
        tokens = tokens[1:-1]
    if tokens and tokens[0].text in {"+", "-"}:
        tokens = tokens[1:]
    return len(tokens) == 1 and (tokens[0].kind in _LITERALS or tokens[0].word in _CONSTANT_WORDS)
