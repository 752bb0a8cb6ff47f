"""A write and the rows of the journal that tell of it, in one statement.

PostgreSQL carries out every part of a `WITH` to its end, whether or not its rows are read, and all of them see the
same snapshot (PostgreSQL 15, section 7.8.4): a write, the rows beside it and its answer are one round trip, and one
transaction.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
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
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import column_value
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of

_MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
_DAY: Final = "YYYY-MM-DD"
_FIRST: Final = str(to_plain_json(datetime.datetime.min.replace(tzinfo=datetime.UTC)))
_LAST: Final = str(to_plain_json(datetime.datetime.max.replace(tzinfo=datetime.UTC)))


def can_encode(resource: Resource[Any], rows: Sequence[JournalRow]) -> bool:
    """Return whether PostgreSQL spells what *rows* await as `to_plain_json` would."""
    awaited = {value for row in rows for value in row.values.values() if isinstance(value, ValuePlaceholder)}
    names = resource.readable if ValuePlaceholder.VALUES in awaited else resource.key
    return all(resource.fields[name].kind in _ENCODERS for name in names)


def with_journal_rows(
    plan: Plan[Any], statement: Insert | Update | Delete, rows: Sequence[JournalRow]
) -> tuple[Executable, dict[str, Any]]:
    """Return *statement*, a write of at most one row of *plan* that gives it back, together with *rows*.

    Returns:
        What writes all of them and answers with the row of *statement*, and the values of its parameters.
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


def _with_rows(
    plan: Plan[Any], statement: Insert | Update | Delete, rows: Sequence[JournalRow]
) -> Select[Any]:
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


def _awaited(value: ValuePlaceholder, plan: Plan[Any], change: CTE) -> ColumnElement[Any]:
    resource = plan.resource

    def encoded(name: str) -> ColumnElement[Any]:
        return _ENCODERS[resource.fields[name].kind](
            resource.fields[name], change.columns[plan.columns[name].key]
        )

    match value:
        case ValuePlaceholder.KEY if len(resource.key) == 1:
            return func.to_jsonb(encoded(resource.key[0]), type_=JSONB)
        case ValuePlaceholder.KEY:
            return func.jsonb_build_array(*(encoded(name) for name in resource.key), type_=JSONB)
        case ValuePlaceholder.VERSION:
            return cast(change.columns[plan.columns[str(resource.version)].key], Text)
        case ValuePlaceholder.VALUES:
            members = [part for name in resource.readable for part in (literal(name, Text), encoded(name))]
            return func.jsonb_build_object(*members, type_=JSONB)


def _unchanged(_: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column


def _moment(_: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    # What knows no zone is in UTC already.
    zoned = getattr(column.type, "timezone", False)
    encoded = func.to_char(func.timezone("UTC", column) if zoned else column, _MOMENT, type_=Text)
    return _finite(column, encoded, _FIRST, _LAST)


def _day(_: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    encoded = func.to_char(column, _DAY, type_=Text)
    return _finite(column, encoded, datetime.date.min.isoformat(), datetime.date.max.isoformat())


def _finite(
    column: ColumnElement[Any], encoded: ColumnElement[Any], first: str, last: str
) -> ColumnElement[Any]:
    """*encoded*, but for what asyncpg sends in place of the first and the last time that Python has."""
    return case(
        (column == literal_column("'-infinity'"), literal(first, Text)),
        (column == literal_column("'infinity'"), literal(last, Text)),
        else_=encoded,
    )


_ENCODERS: Final[Mapping[Kind, Callable[[Field, ColumnElement[Any]], ColumnElement[Any]]]] = {
    Kind.TEXT: _unchanged,
    Kind.INTEGER: _unchanged,
    Kind.BOOLEAN: _unchanged,
    Kind.JSON: _unchanged,
    Kind.DECIMAL: lambda _, column: cast(column, Text),
    Kind.UUID: lambda _, column: cast(column, Text),
    Kind.DATE: _day,
    Kind.DATETIME: _moment,
}
"""How values are spelt on the server. What is not here is spelt here, after the write and before the commit."""
