"""A write and its rows of the journal in one statement.

PostgreSQL executes every part of a `WITH` to its end, whether or not its rows are read, and all of them see the same
snapshot (PostgreSQL 15, section 7.8.4): a write, its journal and its answer are one round trip and one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import (
    CTE,
    Delete,
    Executable,
    Insert,
    Select,
    Text,
    Update,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from fastapi_easy.domain.changes.journal import JournalRow, ValuePlaceholder
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import column_value
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of

_Encoder: TypeAlias = Callable[[Field, Term], Term]

_MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
_DAY: Final = "YYYY-MM-DD"


def can_encode(resource: Resource[Any], rows: Sequence[JournalRow]) -> bool:
    """Return whether PostgreSQL spells what *rows* await as `to_plain_json` would."""
    awaited = {value for row in rows for value in row.values.values() if isinstance(value, ValuePlaceholder)}
    names = resource.readable if ValuePlaceholder.VALUES in awaited else resource.key
    if ValuePlaceholder.ENTITY in awaited and any(
        resource.stored_fields[name].kind is Kind.DECIMAL for name in resource.key
    ):
        # The server writes the zeros at the end of it, which `entity_of` does not.
        return False
    # What a type of the user's stores, only the type itself can read.
    return all(
        resource.stored_fields[name].kind in _ENCODERS and resource.stored_fields[name].check is None
        for name in names
    )


def with_journal_rows(
    plan: Plan, statement: Insert | Update | Delete, rows: Sequence[JournalRow]
) -> tuple[Executable, dict[str, object]]:
    """Combine *statement*, which writes at most one row of *plan*, with inserts of *rows* into the journal.

    Returns:
        A statement that makes both and returns the written row, and the values of the parameters of *rows*.
    """
    form = tuple((row.table, tuple(_fixed(row))) for row in rows)
    made = plan.statement(("with_journal_rows", statement, form), lambda: _with_rows(plan, statement, rows))
    parameters = {
        f"fe_row_{number}_{name}": column_value(row, name)
        for number, row in enumerate(rows)
        for name in row.values
        if not isinstance(row.values[name], ValuePlaceholder)
    }
    return made, parameters


def _fixed(row: JournalRow) -> list[tuple[str, ValuePlaceholder | None]]:
    return [
        (name, value if isinstance(value, ValuePlaceholder) else None) for name, value in row.values.items()
    ]


def _with_rows(plan: Plan, statement: Insert | Update | Delete, rows: Sequence[JournalRow]) -> Select[Any]:
    returned: Any = statement.returning(*(plan.columns[name] for name in plan.names))
    change: CTE = returned.cte("fe_change")
    answer = select(*(change.columns[plan.columns[name].key] for name in plan.names))
    for number, row in enumerate(rows):
        table = table_of(row.table)
        values = [
            _awaited(value, plan, change).label(name)
            if isinstance(value, ValuePlaceholder)
            else bindparam(f"fe_row_{number}_{name}", type_=table.columns[name].type)
            for name, value in row.values.items()
        ]
        kept = insert(table).from_select(
            [table.columns[name] for name in row.values], select(*values).select_from(change)
        )
        answer = answer.add_cte(kept.cte(f"fe_row_{number}"))
    return answer


def _awaited(value: ValuePlaceholder, plan: Plan, change: CTE) -> Term:
    resource = plan.resource

    def encoded(name: str) -> Term:
        return _ENCODERS[resource.stored_fields[name].kind](
            resource.stored_fields[name], change.columns[plan.columns[name].key]
        )

    def key() -> Term:
        if len(resource.key) == 1:
            return func.to_jsonb(encoded(resource.key[0]), type_=JSONB)
        return func.jsonb_build_array(*(encoded(name) for name in resource.key), type_=JSONB)

    match value:
        case ValuePlaceholder.KEY:
            return key()
        case ValuePlaceholder.ENTITY:
            written = func.convert_to(cast(key(), Text), literal_column("'UTF8'"))
            return func.encode(func.sha256(written), literal_column("'hex'"), type_=Text)
        case ValuePlaceholder.VERSION:
            return cast(change.columns[plan.columns[str(resource.version)].key], Text)
        case ValuePlaceholder.VALUES:
            members = [part for name in resource.readable for part in (literal(name, Text), encoded(name))]
            return func.jsonb_build_object(*members, type_=JSONB)


def _unchanged(_: Field, column: Term) -> Term:
    return column


def _moment(_: Field, column: Term) -> Term:
    # A column without a time zone holds UTC already.
    zoned = getattr(column.type, "timezone", False)
    encoded = func.to_char(func.timezone("UTC", column) if zoned else column, _MOMENT, type_=Text)
    return _within_years(column, encoded, "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999")


def _day(_: Field, column: Term) -> Term:
    return _within_years(column, func.to_char(column, _DAY, type_=Text), "0001-01-01", "9999-12-31")


def _within_years(column: Term, encoded: Term, first: str, last: str) -> Term:
    """Spell what Python has no time for as the server does, which is what an `UnexpectedValue` shows."""
    within = column.between(literal_column(f"'{first}'"), literal_column(f"'{last}'"))
    return case((within, encoded), else_=cast(column, Text))


def _as_text(_: Field, column: Term) -> Term:
    return cast(column, Text)


def _encoder_of(kind: Kind) -> _Encoder | None:
    """Return what spells values of *kind* on the server as `plain_json` does; `None` where nothing does."""
    match kind:
        case Kind.TEXT | Kind.INTEGER | Kind.BOOLEAN | Kind.JSON:
            return _unchanged
        case Kind.DECIMAL | Kind.UUID:
            return _as_text
        case Kind.DATE:
            return _day
        case Kind.DATETIME:
            return _moment
        case Kind.FLOAT | Kind.TIME | Kind.DURATION | Kind.BINARY | Kind.ENUM | Kind.ARRAY:
            return None
        case _:
            assert_never(kind)


_ENCODERS: Final[Mapping[Kind, _Encoder]] = {
    kind: encoder for kind in Kind if (encoder := _encoder_of(kind)) is not None
}
"""Looked up for each write. Kinds that are missing are spelt in Python, after the write and before the commit."""
