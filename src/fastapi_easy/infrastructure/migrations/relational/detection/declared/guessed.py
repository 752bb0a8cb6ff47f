"""Declared tables as SQLAlchemy spells them: for a server that may not be shown any."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, Computed, Identity, Index, Table, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import Constraint, DefaultClause

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    ColumnShape,
    IndexShape,
    KeyShape,
    Numbering,
    TableShape,
    UniqueShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.declared.objects import (
    checks_of,
    full_name,
    native_enumeration,
    real_name,
    references_of,
)
from fastapi_easy.infrastructure.relational.server import server_name_of

_POSTGRES_TYPES: Final = {
    "varchar": "character varying",
    "char": "character",
    "int": "integer",
    "bool": "boolean",
    "decimal": "numeric",
    "float": "double precision",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
}
_MYSQL_TYPES: Final = {"integer": "int", "numeric": "decimal", "bool": "tinyint(1)", "boolean": "tinyint(1)"}
_MYSQL_WORDS: Final = re.compile(r"^(?:integer|numeric|boolean|bool)\b", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\((\d+), (\d+)\)")
_SIZED: Final = re.compile(r"^(blob|text)\((\d+)\)$")
_SIZES: Final = {"tiny": 1 << 8, "": 1 << 16, "medium": 1 << 24}
_MYSQL_COLLATION: Final = re.compile(r"\s+(?:character set|collate) \S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedShape:
    """A shape, and what its parts are made from.

    Attributes:
        shape: As it would be stored.

        items, uniques, checks: What its indexes, uniques and checks are made from, in the same order.
    """

    shape: TableShape
    items: tuple[Index | Constraint, ...]
    uniques: tuple[Index | Constraint, ...]
    checks: tuple[Constraint, ...]


def guess_shape(name: str, table: Table, dialect: Dialect) -> GuessedShape:
    """Return *table* as SQLAlchemy would have the server store it."""
    indexes: list[tuple[IndexShape, Index | Constraint]] = [
        (guess_index(each, dialect), each) for each in sorted(table.indexes, key=lambda each: str(each.name))
    ]
    uniques: list[tuple[UniqueShape, Index | Constraint]] = []
    checks: list[tuple[CheckShape, Constraint]] = []
    inline = [check for column in table.columns for check in checks_of(column)]
    for rule in (*sorted(table.constraints, key=lambda each: str(each.name)), *inline):
        if isinstance(rule, UniqueConstraint):
            columns = tuple(each.name for each in rule.columns)
            given = real_name(rule, dialect)
            if server_name_of(dialect.name) == "mysql":
                named = given or columns[0]
                indexes.append((IndexShape(name=named, elements=columns, columns=columns, unique=True), rule))
            else:
                uniques.append((UniqueShape(name=given, columns=columns, options=_options(rule)), rule))
        elif isinstance(rule, CheckConstraint):
            text = render(rule.sqltext, dialect)
            checks.append((CheckShape(name=real_name(rule, dialect), expression=text), rule))
    key = tuple(each.name for each in table.primary_key.columns)
    return GuessedShape(
        shape=TableShape(
            name=name,
            columns={each.name: _column(each, dialect) for each in table.columns},
            key=KeyShape(name=real_name(table.primary_key, dialect), columns=key) if key else None,
            indexes=tuple(each for each, _ in indexes),
            uniques=tuple(each for each, _ in uniques),
            checks=tuple(each for each, _ in checks),
            references=references_of(table, dialect),
            comment=table.comment,
            is_exact=False,
        ),
        items=tuple(item for _, item in indexes),
        uniques=tuple(item for _, item in uniques),
        checks=tuple(item for _, item in checks),
    )


def render(expression: Any, dialect: Dialect) -> str:
    """Return the SQL of *expression*."""
    if isinstance(expression, str):
        return expression
    return str(
        expression.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False})
    )


def render_type(column: Column[Any], dialect: Dialect) -> str:
    """Return the SQL of the type of *column*, in about the spelling of the server."""
    try:
        written = " ".join(column.type.compile(dialect).split())
    except CompileError:
        return ""
    if server_name_of(dialect.name) == "sqlite":
        return written.upper()
    if server_name_of(dialect.name) == "mysql":
        named = _MYSQL_WORDS.sub(lambda found: _MYSQL_TYPES[found[0].lower()], written).lower()
        return _SIZED.sub(_smallest, _DIGITS.sub(r"(\1,\2)", _MYSQL_COLLATION.sub("", named)))
    word, parenthesis, rest = written.lower().partition("(")
    if word in {"timestamp", "time"} and parenthesis:
        return f"{word}({rest}" + ("" if "time zone" in rest else " without time zone")
    return _POSTGRES_TYPES.get(word.strip(), word) + parenthesis + rest.replace(", ", ",")


def _column(column: Column[Any], dialect: Dialect) -> ColumnShape:
    default = column.server_default
    numbering: Numbering | None = None
    if isinstance(column.identity, Identity):
        numbering = "always" if column.identity.always else "by default"
    elif column.table.autoincrement_column is column and default is None:
        numbering = {"postgresql": "serial", "mysql": "auto_increment"}.get(server_name_of(dialect.name))  # type: ignore[assignment] # both are
    enumeration = native_enumeration(column.type, dialect)
    computed = column.computed
    return ColumnShape(
        name=column.name,
        type=render_type(column, dialect),
        nullable=bool(column.nullable),
        default=_default(default.arg, dialect) if isinstance(default, DefaultClause) else None,
        computed=render(computed.sqltext, dialect) if isinstance(computed, Computed) else None,
        persisted=bool(computed is not None and (computed.persisted or dialect.name == "postgresql")),
        numbering=numbering,
        collation=getattr(column.type, "collation", None),
        comment=column.comment,
        enumeration=full_name(enumeration.schema, str(enumeration.name), dialect) if enumeration else None,
    )


def _default(argument: Any, dialect: Dialect) -> str:
    if isinstance(argument, str) and "'" in argument:
        doubled = argument.replace("'", "''")
        return f"'{doubled}'"
    return render(argument, dialect)


def _smallest(sized: re.Match[str]) -> str:
    """Return the type that MySQL takes for a text or blob of so many characters."""
    bytes_needed = int(sized[2]) * (4 if sized[1] == "text" else 1)
    prefix = next((name for name, below in _SIZES.items() if bytes_needed < below), "long")
    return f"{prefix}{sized[1]}"


def guess_index(index: Index, dialect: Dialect) -> IndexShape:
    """Return *index* as SQLAlchemy would have the server store it."""
    options = _options_of(index, dialect)
    where, method = options.get("where"), str(options.get("using") or options.get("prefix") or "").lower()
    return IndexShape(
        name=str(real_name(index, dialect)),
        elements=tuple(render(each, dialect).replace('"', "").replace("`", "") for each in index.expressions),
        columns=tuple(each.name for each in index.expressions if isinstance(each, Column)),
        unique=bool(index.unique),
        where=None if where is None else render(where, dialect),
        method="" if method == "btree" else method,
        include=tuple(getattr(each, "name", each) for each in options.get("include") or ()),
    )


def _options_of(index: Index, dialect: Dialect) -> Mapping[str, Any]:
    # Looked up by name each time: the dialect's options are only known after that.
    return index.dialect_options[dialect.name]


def _options(rule: UniqueConstraint) -> tuple[str, ...]:
    if str(rule.initially or "").upper() == "DEFERRED":
        return ("deferrable", "initially deferred")
    return ("deferrable",) if rule.deferrable else ()
