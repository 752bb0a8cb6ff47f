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

from fastapi_easy.domain.changes.journal import Awaited, JournalRow
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.plain_json import plain_json
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import written
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of

_MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
_DAY: Final = "YYYY-MM-DD"
_FIRST: Final = plain_json(datetime.datetime.min.replace(tzinfo=datetime.UTC))
_LAST: Final = plain_json(datetime.datetime.max.replace(tzinfo=datetime.UTC))


def can_tell(resource: Resource[Any], rows: Sequence[JournalRow]) -> bool:
    """Return whether PostgreSQL spells what *rows* await as `plain_json` would."""
    awaited = {value for row in rows for value in row.values.values() if isinstance(value, Awaited)}
    names = resource.readable if Awaited.VALUES in awaited else resource.key
    return all(resource.fields[name].kind in _SPELT for name in names)


def with_rows(
    plan: Plan[Any], statement: Insert | Update | Delete, rows: Sequence[JournalRow]
) -> tuple[Executable, dict[str, Any]]:
    """Return *statement*, a write of at most one row of *plan* that gives it back, together with *rows*.

    Returns:
        What writes all of them and answers with the row of *statement*, and the values of its parameters.
    """
    form = tuple((row.table, tuple(_fixed(row))) for row in rows)
    made = plan.statement(("with_rows", statement, form), lambda: _with_rows(plan, statement, rows))
    parameters = {
        f"fe_row_{number}_{name}": written(row, name)
        for number, row in enumerate(rows)
        for name in row.values
        if not isinstance(row.values[name], Awaited)
    }
    return made, parameters


def _fixed(row: JournalRow) -> list[tuple[str, Awaited | None]]:
    return [(name, value if isinstance(value, Awaited) else None) for name, value in row.values.items()]


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
            if isinstance(value, Awaited)
            else bindparam(f"fe_row_{number}_{name}", type_=table.columns[name].type)
            for name, value in row.values.items()
        ]
        kept = insert(table).from_select(
            [table.columns[name] for name in row.values], select(*values).select_from(change)
        )
        answer = answer.add_cte(kept.cte(f"fe_row_{number}"))
    return answer


def _awaited(value: Awaited, plan: Plan[Any], change: CTE) -> ColumnElement[Any]:
    resource = plan.resource

    def spelt(name: str) -> ColumnElement[Any]:
        return _SPELT[resource.fields[name].kind](
            resource.fields[name], change.columns[plan.columns[name].key]
        )

    match value:
        case Awaited.KEY if len(resource.key) == 1:
            return func.to_jsonb(spelt(resource.key[0]), type_=JSONB)
        case Awaited.KEY:
            return func.jsonb_build_array(*(spelt(name) for name in resource.key), type_=JSONB)
        case Awaited.VERSION:
            return cast(change.columns[plan.columns[str(resource.version)].key], Text)
        case Awaited.VALUES:
            members = [part for name in resource.readable for part in (literal(name, Text), spelt(name))]
            return func.jsonb_build_object(*members, type_=JSONB)


def _as_it_is(_: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column


def _moment(_: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    # What knows no zone is in UTC already.
    zoned = getattr(column.type, "timezone", False)
    spelt = func.to_char(func.timezone("UTC", column) if zoned else column, _MOMENT, type_=Text)
    return _finite(column, spelt, _FIRST, _LAST)


def _day(_: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    spelt = func.to_char(column, _DAY, type_=Text)
    return _finite(column, spelt, datetime.date.min.isoformat(), datetime.date.max.isoformat())


def _finite(
    column: ColumnElement[Any], spelt: ColumnElement[Any], first: str, last: str
) -> ColumnElement[Any]:
    """*spelt*, but for what asyncpg sends in place of the first and the last time that Python has."""
    return case(
        (column == literal_column("'-infinity'"), literal(first, Text)),
        (column == literal_column("'infinity'"), literal(last, Text)),
        else_=spelt,
    )


_SPELT: Final[Mapping[Kind, Callable[[Field, ColumnElement[Any]], ColumnElement[Any]]]] = {
    Kind.TEXT: _as_it_is,
    Kind.INTEGER: _as_it_is,
    Kind.BOOLEAN: _as_it_is,
    Kind.JSON: _as_it_is,
    Kind.DECIMAL: lambda _, column: cast(column, Text),
    Kind.UUID: lambda _, column: cast(column, Text),
    Kind.DATE: _day,
    Kind.DATETIME: _moment,
}
"""How values are spelt on the server. What is not here is spelt here, after the write and before the commit."""
