"""The statements of a plan, each built once per form. They hold parameters only, never values."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
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
from sqlalchemy.types import TupleType

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.array_inserts import array_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.order import (
    after_cursor,
    form_of_cursor,
    order_by_clauses,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.overriding_insert import OverridingInsert
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    ConditionTemplate,
    build_condition,
    reads_table,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.store_defaults import default_term
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import DerivedTable
from fastapi_easy.infrastructure.relational.column_types import ColumnType, TextDecimal
from fastapi_easy.infrastructure.relational.unexpected_values import PostgresNumber


def by_key(plan: Plan, fields: Sequence[str], form: ConditionTemplate, *, locked: bool = False) -> Executable:
    """Select one row by its key, if *form* means it; *locked* against other writers."""

    def build() -> Executable:
        scope = build_condition(form, plan.terms)
        statement = select(*_columns(plan, fields)).select_from(plan.terms.table).where(_has_key(plan), scope)
        return statement.with_for_update() if locked else statement

    return plan.statement(("by_key", tuple(fields), form, locked), build)


def by_key_alone(plan: Plan, fields: Sequence[str]) -> Executable:
    """Select one row by its key, whatever it holds; the form is short, because most reads of an entity have it."""
    return plan.statement((tuple(fields),), lambda: by_key(plan, fields, ("everything",)))


def by_keys(plan: Plan) -> Executable:
    """Select the rows with the keys `fe_keys`, for a key of one field."""

    def build() -> Executable:
        (name,) = plan.resource.key
        keys = bindparam("fe_keys", expanding=True, type_=plan.terms.type_of(name))
        selected = select(*_columns(plan, plan.names)).select_from(plan.terms.table)
        return selected.where(plan.terms.exact(name).in_(keys))

    return plan.statement(("by_keys",), build)


def page(
    plan: Plan,
    fields: Sequence[str],
    form: ConditionTemplate,
    order: tuple[Sort, ...],
    page_request: PageRequest,
    *,
    counted: bool,
    held: bool = False,
) -> Executable:
    """Select a window of rows: *fields*, then what only the order needs, then the total when it is *counted*.

    They are *held* against other writers until the transaction ends.
    """
    after = None if page_request.after is None else form_of_cursor(page_request.after.values)

    def build() -> Executable:
        paths = Paths(plan.terms, order)
        columns = (
            *_output_columns(plan, fields),
            *(paths.plain(sort) for sort in columns_for_order(fields, order)),
        )
        condition = build_condition(form, plan.terms)
        statement = select(*columns).select_from(paths.table).where(condition)
        if counted:
            # Not `count(*) OVER ()`, which materializes every row before the first is returned.
            total = select(func.count()).select_from(plan.terms.table).where(condition).scalar_subquery()
            statement = statement.add_columns(total)
        if after is not None:
            statement = statement.where(after_cursor(order, after, paths))
        statement = statement.order_by(*order_by_clauses(order, paths)).limit(_bind("fe_limit"))
        if held:
            statement = statement.with_for_update()
        return statement.offset(_bind("fe_offset")) if page_request.offset else statement

    return plan.statement(
        ("page", tuple(fields), form, order, after, counted, page_request.offset > 0, held), build
    )


def columns_for_order(fields: Sequence[str], order: Sequence[Sort]) -> tuple[Sort, ...]:
    """Return the sorts of *order* whose columns are not among *fields*."""
    return tuple(sort for sort in order if sort.name not in fields)


def count(plan: Plan, form: ConditionTemplate) -> Executable:
    """Count the rows that *form* means."""

    def build() -> Executable:
        return select(func.count()).select_from(plan.terms.table).where(build_condition(form, plan.terms))

    return plan.statement(("count", form), build)


def count_up_to(plan: Plan, form: ConditionTemplate) -> Executable:
    """Count the rows that *form* means, up to `fe_limit`."""

    def build() -> Executable:
        some: Select[Any] = (
            select(literal_column("1")).select_from(plan.terms.table).where(build_condition(form, plan.terms))
        )
        return select(func.count()).select_from(some.limit(_bind("fe_limit")).subquery())

    return plan.statement(("count_up_to", form), build)


def add(plan: Plan, fields: Sequence[str], *, is_stored: bool = False) -> Insert:
    """Insert a row with values for *fields*; returns it where the server can."""

    def build() -> Insert:
        values = {plan.columns[name]: _value(plan, name) for name in fields}
        statement = _insert(plan, is_stored=is_stored)
        statement = statement.values(values) if values else statement
        return statement.returning(*_columns(plan, plan.names)) if plan.returns_inserted else statement

    return plan.statement(("add", tuple(fields), is_stored), build)


def add_many(plan: Plan, *, sorted_by_server: bool, is_stored: bool = False) -> Insert:
    """Insert rows whose parameters are named after their columns; returns them where the server can."""

    def build() -> Insert:
        statement = _insert(plan, is_stored=is_stored)
        if not plan.returns_inserted:
            return statement
        columns = _columns(plan, plan.names)
        return statement.returning(*columns, sort_by_parameter_order=sorted_by_server)

    return plan.statement(("add_many", sorted_by_server, is_stored), build)


def add_arrays(plan: Plan, fields: Sequence[str], *, is_stored: bool = False) -> Executable:
    """Insert the rows of one list per field, in the order of the lists; returns them in any order."""

    def build() -> Insert:
        dialect = plan.server.dialect
        columns = _columns(plan, fields)
        lists = [
            bindparam(f"fe_new_{name}", type_=array_of(column, dialect))
            for name, column in zip(fields, columns, strict=True)
        ]
        names = [f"value_{number}" for number in range(len(fields))]
        given = func.unnest(*lists).table_valued(*names, with_ordinality="place").render_derived()
        # The server counts generated keys up in the order of the rows it inserts from.
        rows = select(*(given.columns[name] for name in names)).order_by(given.columns["place"])
        statement = _insert(plan, is_stored=is_stored).from_select(columns, rows)
        return statement.returning(*_output_columns(plan, plan.names))

    return plan.statement(("add_arrays", tuple(fields), is_stored), build)


def change(
    plan: Plan, fields: Sequence[str], form: ConditionTemplate, *, versioned: bool, reset: Sequence[str] = ()
) -> Update:
    """Update *fields* of the row with a key, if *form* means it, and give those of *reset* what the store gives them.

    Returns the row where the server can. When *versioned*, the row must have the version given.
    """

    def build() -> Update:
        statement = _set(plan, fields, reset).where(_target_condition(plan, form, versioned=versioned))
        return statement.returning(*_columns(plan, plan.names)) if plan.returns_updated else statement

    return plan.statement(("change", tuple(fields), form, versioned, reset), build)


def change_where(
    plan: Plan, fields: Sequence[str], form: ConditionTemplate, reset: Sequence[str] = ()
) -> Update:
    """Update *fields* of every row that *form* means, and give those of *reset* what the store gives them."""
    return plan.statement(
        ("change_where", tuple(fields), form, reset),
        lambda: _set(plan, fields, reset).where(_write_condition(plan, form)),
    )


def remove(plan: Plan, form: ConditionTemplate, *, versioned: bool) -> Delete:
    """Delete the row with a key, if *form* means it and, when *versioned*, if it has the version given."""

    def build() -> Delete:
        return delete(plan.table).where(_target_condition(plan, form, versioned=versioned))

    return plan.statement(("remove", form, versioned), build)


def remove_where(plan: Plan, form: ConditionTemplate) -> Delete:
    """Delete every row that *form* means."""
    return plan.statement(
        ("remove_where", form), lambda: delete(plan.table).where(_write_condition(plan, form))
    )


def keys_of(plan: Plan, form: ConditionTemplate) -> Executable:
    """Select the keys of the rows that *form* means, up to `fe_limit`, and lock the rows against other writers."""

    def build() -> Executable:
        selected = select(*_columns(plan, plan.resource.key)).select_from(plan.terms.table)
        found = selected.where(build_condition(form, plan.terms)).limit(_bind("fe_limit"))
        return found.with_for_update()

    return plan.statement(("keys_of", form), build)


def change_keys(plan: Plan, fields: Sequence[str], reset: Sequence[str] = ()) -> Update:
    """Update *fields* of the rows with the keys `fe_keys`, and give those of *reset* what the store gives them."""
    return plan.statement(
        ("change_keys", tuple(fields), reset), lambda: _set(plan, fields, reset).where(_has_keys(plan))
    )


def remove_keys(plan: Plan) -> Delete:
    """Delete the rows with the keys `fe_keys`."""
    return plan.statement(("remove_keys",), lambda: delete(plan.table).where(_has_keys(plan)))


def remove_derived(plan: Plan, derived: DerivedTable) -> Delete:
    """Delete what *derived* holds more of the rows of *plan* with the keys `fe_keys`."""
    return plan.statement(
        ("remove_derived", derived.table),
        lambda: delete(derived.table).where(_is_one_of(derived.key, _key_types(plan))),
    )


def new_values(values: Mapping[str, object]) -> dict[str, object]:
    """Return *values* by the names of their parameters in `add`, `add_arrays`, `change` and `change_where`."""
    return {f"fe_new_{name}": value for name, value in values.items()}


def _insert(plan: Plan, *, is_stored: bool) -> Insert:
    if is_stored and plan.server.name == "postgresql":
        return OverridingInsert(plan.table)
    return insert(plan.table)


def _set(plan: Plan, fields: Sequence[str], reset: Sequence[str]) -> Update:
    values: dict[Column[Any], Term] = {plan.columns[n]: _value(plan, n) for n in fields}
    values |= {plan.columns[n]: term for n in reset if (term := default_term(plan, n)) is not None}
    if plan.resource.version is not None:
        version = plan.columns[plan.resource.version]
        # A null that somebody else has left there counts as 0: null and one is null, and would never change.
        counted = func.coalesce(version, literal_column("0")) if plan.counts_from_null else version
        values[version] = counted + literal_column("1")
    if not values:
        # No update is without an assignment; this one lets the store set what it sets with each change.
        key = plan.columns[plan.resource.key[0]]
        values[key] = key
    return update(plan.table).values(values)


def _value(plan: Plan, name: str) -> Term:
    return bindparam(f"fe_new_{name}", type_=plan.columns[name].type)


def _has_key(plan: Plan) -> ColumnElement[bool]:
    terms = plan.terms
    return and_(
        *(
            terms.exact(name) == bindparam(f"fe_key_{number}", type_=terms.type_of(name))
            for number, name in enumerate(plan.resource.key)
        )
    )


def _has_keys(plan: Plan) -> ColumnElement[bool]:
    return _is_one_of([plan.terms.exact(name) for name in plan.resource.key], _key_types(plan))


def _key_types(plan: Plan) -> list[ColumnType]:
    return [plan.terms.type_of(name) for name in plan.resource.key]


def _is_one_of(key: Sequence[Term], types: Sequence[ColumnType]) -> ColumnElement[bool]:
    if len(key) == 1:
        return key[0].in_(bindparam("fe_keys", type_=types[0], expanding=True))
    return tuple_(*key).in_(bindparam("fe_keys", type_=TupleType(*types), expanding=True))


def _target_condition(plan: Plan, form: ConditionTemplate, *, versioned: bool) -> ColumnElement[bool]:
    meant = and_(_has_key(plan), _write_condition(plan, form))
    if not versioned or plan.resource.version is None:
        return meant
    return and_(meant, plan.columns[plan.resource.version] == _bind("fe_version"))


def _write_condition(plan: Plan, form: ConditionTemplate) -> ColumnElement[bool]:
    """Build the condition of *form* for a statement that writes."""
    if plan.server.name != "mysql" or not reads_table(form, plan.terms, plan.table):
        return build_condition(form, plan.terms)
    # MySQL refuses to read the table it writes (error 1093), except from a subquery that it materializes, which
    # DISTINCT makes it do.
    again = plan.terms.aliased()
    key = plan.resource.key
    chosen = (
        select(*(again.plain(name) for name in key)).where(build_condition(form, again)).distinct().subquery()
    )
    return tuple_(*(plan.columns[name] for name in key)).in_(select(*chosen.columns))


def _columns(plan: Plan, fields: Sequence[str]) -> list[Column[Any]]:
    return [plan.columns[name] for name in fields]


def _output_columns(plan: Plan, fields: Sequence[str]) -> list[Term]:
    """Return the columns of *fields*, for many rows that are mostly passed on as text.

    With asyncpg decimals come as text then, instead of as objects that are turned back into text.
    """
    spells = plan.server.dialect.driver == "asyncpg"
    return [
        _cast_to_text(column) if spells and name not in plan.resource.key else column
        for name, column in zip(fields, _columns(plan, fields), strict=True)
    ]


def _cast_to_text(column: Column[Any]) -> Term:
    declared: Any = column.type
    if isinstance(declared, PostgresNumber):
        declared = declared.declared
    if not isinstance(declared, Numeric) or isinstance(declared, Float) or not declared.asdecimal:
        return column
    # First to NUMERIC, whatever the stored type: the text of a float may have an exponent.
    return type_coerce(cast(cast(column, Numeric()), Text), TextDecimal())


def _bind(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())
