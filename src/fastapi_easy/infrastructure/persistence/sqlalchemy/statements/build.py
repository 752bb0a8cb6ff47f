"""The statements of a plan, each built once per form. Values never appear in them, only parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    Executable,
    Float,
    Insert,
    Numeric,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    type_coerce,
    update,
)

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.array_inserts import list_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.order import behind, clauses
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    Outline,
    expression,
    leads_to,
)
from fastapi_easy.infrastructure.relational.column_types import SpeltDecimal


def by_key(plan: Plan[Any], fields: Sequence[str], form: Outline, *, locked: bool = False) -> Executable:
    """One row by its key, among those that *form* means; *locked* against everybody else."""

    def build() -> Select[Any]:
        among = expression(form, plan.terms)
        statement = select(*_columns(plan, fields)).where(_has_key(plan), among)
        return statement.with_for_update() if locked else statement

    return plan.statement(("by_key", tuple(fields), form, locked), build)


def page(
    plan: Plan[Any],
    fields: Sequence[str],
    form: Outline,
    order: tuple[Sort, ...],
    wish: PageRequest,
    *,
    counted: bool,
) -> Executable:
    """A window of rows; behind the fields what only the order asks for, then the total when it is *counted*."""
    nulls = None if wish.after is None else tuple(value is None for value in wish.after.values)

    def build() -> Select[Any]:
        paths = Paths(plan.terms, order)
        columns = (*_passed_on(plan, fields), *(paths.plain(sort) for sort in beside(fields, order)))
        condition = expression(form, plan.terms)
        statement = select(*columns).select_from(paths.table).where(condition)
        if counted:
            # Not a window function: it would have to keep every row to count them.
            total = select(func.count()).select_from(plan.table).where(condition).scalar_subquery()
            statement = statement.add_columns(total)
        if nulls is not None:
            statement = statement.where(behind(order, nulls, paths))
        statement = statement.order_by(*clauses(order, paths)).limit(_bind("fe_limit"))
        return statement.offset(_bind("fe_offset")) if wish.offset else statement

    return plan.statement(("page", tuple(fields), form, order, nulls, counted, wish.offset > 0), build)


def beside(fields: Sequence[str], order: Sequence[Sort]) -> tuple[Sort, ...]:
    """What *order* compares and is not among *fields*."""
    return tuple(sort for sort in order if sort.name not in fields)


def count(plan: Plan[Any], form: Outline) -> Executable:
    """How many rows *form* means."""

    def build() -> Select[Any]:
        return select(func.count()).select_from(plan.table).where(expression(form, plan.terms))

    return plan.statement(("count", form), build)


def count_up_to(plan: Plan[Any], form: Outline) -> Executable:
    """How many rows *form* means, but no more than `fe_limit`."""

    def build() -> Select[Any]:
        some: Select[Any] = (
            select(literal_column("1")).select_from(plan.table).where(expression(form, plan.terms))
        )
        return select(func.count()).select_from(some.limit(_bind("fe_limit")).subquery())

    return plan.statement(("count_up_to", form), build)


def add(plan: Plan[Any], fields: Sequence[str]) -> Executable:
    """A new row with values for *fields*; gives it back where the server can."""

    def build() -> Insert:
        values = {plan.columns[name]: _value(plan, name) for name in fields}
        statement = insert(plan.table).values(values) if values else insert(plan.table)
        return statement.returning(*_columns(plan, plan.names)) if plan.returns_added else statement

    return plan.statement(("add", tuple(fields)), build)


def add_many(plan: Plan[Any], *, sorted_by_server: bool) -> Executable:
    """New rows, given as parameters named after the columns; gives them back where the server can."""

    def build() -> Insert:
        statement = insert(plan.table)
        if not plan.returns_added:
            return statement
        columns = _columns(plan, plan.names)
        return statement.returning(*columns, sort_by_parameter_order=sorted_by_server)

    return plan.statement(("add_many", sorted_by_server), build)


def add_lists(plan: Plan[Any], fields: Sequence[str]) -> Executable:
    """New rows in the order of lists, one with the values of each of *fields*; gives the rows back, in any order."""

    def build() -> Insert:
        dialect = plan.server.dialect
        columns = _columns(plan, fields)
        lists = [
            bindparam(f"fe_new_{name}", type_=list_of(column, dialect))
            for name, column in zip(fields, columns, strict=True)
        ]
        names = [f"value_{number}" for number in range(len(fields))]
        given = func.unnest(*lists).table_valued(*names, with_ordinality="place").render_derived()
        # What the server counts up follows the order of what it inserts from.
        rows = select(*(given.columns[name] for name in names)).order_by(given.columns["place"])
        return insert(plan.table).from_select(columns, rows).returning(*_passed_on(plan, plan.names))

    return plan.statement(("add_lists", tuple(fields)), build)


def change(plan: Plan[Any], fields: Sequence[str], form: Outline, *, versioned: bool) -> Executable:
    """Other values for *fields* of the row with a key, among those that *form* means.

    Gives the row back where the server can. When *versioned*, its version must be the one given.
    """

    def build() -> Update:
        statement = _set(plan, fields).where(_is_meant(plan, form, versioned=versioned))
        return statement.returning(*_columns(plan, plan.names)) if plan.returns_changed else statement

    return plan.statement(("change", tuple(fields), form, versioned), build)


def change_where(plan: Plan[Any], fields: Sequence[str], form: Outline) -> Executable:
    """Other values for *fields* of every row that *form* means."""
    return plan.statement(
        ("change_where", tuple(fields), form), lambda: _set(plan, fields).where(_written(plan, form))
    )


def remove(plan: Plan[Any], form: Outline, *, versioned: bool) -> Executable:
    """Away with the row with a key, among those that *form* means; when *versioned*, with the version given."""

    def build() -> Delete:
        return delete(plan.table).where(_is_meant(plan, form, versioned=versioned))

    return plan.statement(("remove", form, versioned), build)


def remove_where(plan: Plan[Any], form: Outline) -> Executable:
    """Away with every row that *form* means."""
    return plan.statement(("remove_where", form), lambda: delete(plan.table).where(_written(plan, form)))


def new_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* under the names their parameters have in `add`, `add_lists`, `change` and `change_where`."""
    return {f"fe_new_{name}": value for name, value in values.items()}


def _set(plan: Plan[Any], fields: Sequence[str]) -> Update:
    values: dict[Column[Any], ColumnElement[Any]] = {plan.columns[n]: _value(plan, n) for n in fields}
    if plan.resource.version is not None:
        version = plan.columns[plan.resource.version]
        values[version] = version + literal_column("1")
    return update(plan.table).values(values)


def _value(plan: Plan[Any], name: str) -> ColumnElement[Any]:
    return bindparam(f"fe_new_{name}", type_=plan.columns[name].type)


def _has_key(plan: Plan[Any]) -> ColumnElement[bool]:
    terms = plan.terms
    return and_(
        *(
            terms.exact(name) == bindparam(f"fe_key_{number}", type_=terms.type_of(name))
            for number, name in enumerate(plan.resource.key)
        )
    )


def _is_meant(plan: Plan[Any], form: Outline, *, versioned: bool) -> ColumnElement[bool]:
    meant = and_(_has_key(plan), _written(plan, form))
    if not versioned or plan.resource.version is None:
        return meant
    return and_(meant, plan.columns[plan.resource.version] == _bind("fe_version"))


def _written(plan: Plan[Any], form: Outline) -> ColumnElement[bool]:
    """The condition of *form* in a statement that writes."""
    if plan.server.name != "mysql" or not leads_to(form, plan.terms, plan.table):
        return expression(form, plan.terms)
    # MySQL refuses to read the table it writes, unless what was read has been put aside: hence DISTINCT.
    again = plan.terms.of(plan.table.alias())
    key = plan.resource.key
    chosen = select(*(again.plain(name) for name in key)).where(expression(form, again)).distinct().subquery()
    return tuple_(*(plan.columns[name] for name in key)).in_(select(*chosen.columns))


def _columns(plan: Plan[Any], fields: Sequence[str]) -> list[Column[Any]]:
    return [plan.columns[name] for name in fields]


def _passed_on(plan: Plan[Any], fields: Sequence[str]) -> list[ColumnElement[Any]]:
    """The columns of *fields*, of many rows that mostly are only passed on: decimals spelt, where that is quicker."""
    spells = plan.server.dialect.driver == "asyncpg"
    return [
        _spelt(column) if spells and name not in plan.resource.key else column
        for name, column in zip(fields, _columns(plan, fields), strict=True)
    ]


def _spelt(column: Column[Any]) -> ColumnElement[Any]:
    declared = column.type
    if not isinstance(declared, Numeric) or isinstance(declared, Float) or not declared.asdecimal:
        return column
    # Whatever is there: a float would be spelt with an exponent.
    return type_coerce(cast(cast(column, Numeric()), Text), SpeltDecimal())


def _bind(name: str) -> Any:
    return bindparam(name, type_=BigInteger())
