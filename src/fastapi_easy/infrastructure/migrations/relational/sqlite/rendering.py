"""SQLAlchemy's columns, constraints, indexes and tables as texts for SQLite."""

from typing import Any

from alembic.operations.ops import (
    AddConstraintOp,
    CreateForeignKeyOp,
    CreateIndexOp,
    CreateTableOp,
    ExecuteSQLOp,
)
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.schema import CreateIndex, CreateTable

from fastapi_easy.infrastructure.migrations.relational.constraint_order import with_ordered_constraints
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    TokenKind,
    meaningful,
    quote,
    split_tokens,
)


def render_table(operation: CreateTableOp, dialect: Dialect) -> str:
    """Return the CREATE TABLE statement of *operation*."""
    return str(CreateTable(with_ordered_constraints(operation).to_table()).compile(dialect=dialect)).strip()


def render_index(operation: CreateIndexOp, dialect: Dialect) -> str:
    """Return the CREATE INDEX statement of *operation*."""
    return str(CreateIndex(operation.to_index()).compile(dialect=dialect)).strip()


def render_constraint(operation: AddConstraintOp, dialect: Dialect) -> str:
    """Return the constraint of *operation* as it stands in a CREATE TABLE statement."""
    return str(dialect.ddl_compiler(dialect, None).process(operation.to_constraint())).strip()  # type: ignore[arg-type]


def render_sql(operation: ExecuteSQLOp, dialect: Dialect) -> str:
    """Return the statement of *operation*."""
    if isinstance(operation.sqltext, str):
        return operation.sqltext
    statement = operation.sqltext
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]


def render_type(column: Column[Any], dialect: Dialect) -> str:
    """Return the type of *column*, with the collation if it has one."""
    return str(dialect.type_compiler_instance.process(column.type, type_expression=column))


def render_default(column: Column[Any], dialect: Dialect) -> str | None:
    """Return the default of *column* as it stands behind DEFAULT; `None` for none."""
    found = dialect.ddl_compiler(dialect, None).get_column_default_string(column)  # type: ignore[arg-type]
    if found is None or is_term(found):
        return found
    return f"({found})"


def render_default_of(value: Any, dialect: Dialect) -> str | None:
    """Return a default as Alembic carries it, a text, a clause or an expression; `None` for none."""
    return None if value is None else render_default(Column("value", Integer, server_default=value), dialect)


def render_computed(column: Column[Any], dialect: Dialect) -> str | None:
    """Return how *column* is computed; `None` if it is not."""
    if column.computed is None:
        return None
    return str(dialect.ddl_compiler(dialect, None).process(column.computed))  # type: ignore[arg-type]


def render_column(column: Column[Any], dialect: Dialect, references: str = "") -> str:
    """Return the definition of *column*; that it is part of the primary key is said elsewhere.

    Args:
        column: What is rendered.

        dialect: SQLite's.

        references: Its foreign key; empty for those of *column* itself.
    """
    parts = [quote(column.name), render_type(column, dialect)]
    computed = render_computed(column, dialect)
    default = None if computed else render_default(column, dialect)
    if default is not None:
        parts.append(f"DEFAULT {default}")
    if not column.nullable:
        parts.append("NOT NULL")
    if computed is not None:
        parts.append(computed)
    if references:
        parts.append(references)
    else:
        parts += [
            _inline(each, dialect)
            for each in sorted(column.foreign_keys, key=lambda key: key.target_fullname)
        ]
    return " ".join(part for part in parts if part)


def inline_reference(constraint: str) -> str:
    """Return the foreign key *constraint* of one column as a clause of that column."""
    tokens = meaningful(split_tokens(constraint))
    start = next(each.start for each in tokens if each.word == "REFERENCES")
    name = f"CONSTRAINT {tokens[1].text} " if tokens[0].word == "CONSTRAINT" else ""
    return name + constraint[start:]


def is_term(text: str) -> bool:
    """Tell whether *text* can stand behind DEFAULT without parentheses, or has them already."""
    tokens = meaningful(split_tokens(text))
    if len(tokens) == 1:
        return tokens[0].kind is not TokenKind.SIGN
    if tokens[0].word in {"+", "-"}:
        return len(tokens) == 2  # noqa: PLR2004 (a sign and a number)
    depth = 0
    for at, each in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(each.word, 0)
        if depth == 0:
            return at == len(tokens) - 1 and tokens[0].word == "("
    return False


def _inline(key: ForeignKey, dialect: Dialect) -> str:
    if key.constraint is not None and len(key.constraint.elements) > 1:
        return ""
    try:
        table, column = key.column.table.name, key.column.name
    except InvalidRequestError:
        table, column = key.target_fullname.split(".")[-2:]
    operation = CreateForeignKeyOp(
        str(key.name) if isinstance(key.name, str) else None,
        "referring",
        table,
        [key.parent.name],
        [column],
        ondelete=key.ondelete,
        onupdate=key.onupdate,
        deferrable=key.deferrable,
        initially=key.initially,
        match=key.match,
    )
    return inline_reference(render_constraint(operation, dialect))
