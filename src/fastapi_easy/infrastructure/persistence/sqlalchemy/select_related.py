"""Eager loading: the related rows of many entities, with one statement."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    FromClause,
    and_,
    bindparam,
    column,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TupleType

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.listed_sources import ListedSources
from fastapi_easy.domain.queries.ordering import Sort, total_order
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.relation import Side
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.entities.bounds import is_storable
from fastapi_easy.infrastructure.persistence.sqlalchemy.reading import Fetch
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.array_items import (
    holds_item,
    item_type,
    may_be_item,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.listed_rows import listed_rows
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.order import order_by_clauses
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.relation_joins import is_linking, is_unique
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    ConditionTemplate,
    build_condition,
    name_parameters,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms
from fastapi_easy.infrastructure.relational.column_types import ColumnType

MAX_VALUES: Final = 15_000
"""Values in one statement, before they are padded to a power of two; PostgreSQL and SQLite allow 32,766."""

Source: TypeAlias = tuple[Any, ...]
"""The values of `Relation.local` in one entity."""


async def select_related(
    plan: Plan, relation: Relation, sources: Sequence[Source], query: Query, fetch: Fetch
) -> list[list[Row]]:
    """Read the rows that *relation* leads to from each of *sources*, as `Repository.select_each` says.

    Args:
        plan: The plan of the related resource.

        relation: The relation.

        sources: The values of `Relation.here` of each entity to start from.

        query: Which related rows, in which order, how many, and their fields.

        fetch: Runs a statement; called once, unless there are many thousands of sources (no N+1).
    """
    if relation.listed_by is Side.SOURCE:
        return await _select_listed(plan, relation, sources, query, fetch)
    fields = plan.names if query.fields is None else tuple(query.fields)
    form, values = parameterize(query.specification, plan.terms)
    statement = _statement(plan, relation, fields, total_order(query.order, plan.resource.key), form)
    given = name_parameters(values)
    if not is_unique(relation):
        given["fe_limit"] = query.page.limit if relation.many else 1
    found: dict[Source, list[Row]] = {source: [] for source in sources}
    sendable = [source for source in sources if _is_sendable(plan, relation, source)]
    width = len(relation.local)
    for start in range(0, len(sendable), MAX_VALUES // width):
        asked = sendable[start : start + MAX_VALUES // width]
        if relation.listed_by is None:
            asked = _padded(asked)
        given["fe_sources"] = [source[0] for source in asked] if width == 1 else asked
        for record in await fetch(statement, given):
            # The database may match more: a collation of the user's may ignore case.
            rows = found.get(tuple(record[len(fields) : len(fields) + width]))
            if rows is not None:
                rows.append(Row(zip(fields, record, strict=False)))
    return [found[source] for source in sources]


async def _select_listed(
    plan: Plan, relation: Relation, sources: Sequence[Source], query: Query, fetch: Fetch
) -> list[list[Row]]:
    """Read the rows that *relation*, by a list of the source's, leads to, as `Repository.select_each` says.

    As many are read as the lists name at most: which of them a source leads to is known by its list.
    """
    [remote] = relation.remote
    field, allows_nul = plan.resource.stored_fields[remote], plan.terms.allows_nul
    shared = ListedSources(sources, query.page.limit)
    items = [each for each in shared.items if is_storable(field, each, allows_nul=allows_nul)]
    if not items:
        return shared.rows
    fields = plan.names if query.fields is None else tuple(query.fields)
    form, values = parameterize(query.specification, plan.terms)
    statement = listed_rows(plan, relation, fields, total_order(query.order, plan.resource.key), form)
    for record in await fetch(statement, {**name_parameters(values), "fe_sources": items}):
        item = record[len(fields)]
        if shared.wants(item):
            shared.add(item, Row(zip(fields, record, strict=False)))
    return shared.rows


def _statement(
    plan: Plan,
    relation: Relation,
    fields: tuple[str, ...],
    order: tuple[Sort, ...],
    form: ConditionTemplate,
) -> Executable:
    def build() -> Executable:
        terms = plan.terms
        paths = Paths(terms, order)
        table, sources, asked = _join_sources(plan, relation, paths.table)
        meant = and_(asked, build_condition(form, terms))
        labelled = [source.label(f"fe_source_{number}") for number, source in enumerate(sources)]
        if is_unique(relation):
            return select(*(terms.plain(name) for name in fields), *labelled).select_from(table).where(meant)
        rank = func.row_number().over(partition_by=sources, order_by=list(order_by_clauses(order, paths)))
        columns = [*terms.selected(plan.names), *labelled, rank.label("fe_rank")]
        ranked = select(*columns).select_from(table).where(meant).subquery()
        chosen, number = terms.of(ranked), ranked.columns["fe_rank"]
        wanted = [*(chosen.plain(name) for name in fields), *(ranked.columns[each.name] for each in labelled)]
        return select(*wanted).where(number <= bindparam("fe_limit", type_=BigInteger())).order_by(number)

    return plan.statement(("select_related", relation, fields, order, form), build)


def _join_sources(
    plan: Plan, relation: Relation, table: FromClause
) -> tuple[FromClause, list[Term], ColumnElement[bool]]:
    """Return what to select from, the columns there that hold a row's source, and the condition on them."""
    terms = plan.terms
    through = terms.resolve_relation(relation).through
    if relation.listed_by is Side.TARGET:
        return _join_listing(relation, terms, table)
    there = [terms.exact(name) for name in relation.remote]
    if relation.through is None or through is None:
        types = [terms.type_of(name) for name in relation.remote]
        return table, [terms.plain(name) for name in relation.remote], _in_sources(there, types)
    here = [through.columns[name] for name in relation.through.local]
    behind = [through.columns[name] for name in relation.through.remote]
    # Each pair once: an association table without a key may hold it twice.
    pairs = (
        select(*here, *behind)
        .where(_in_sources(here, [each.type for each in here]), is_linking(relation, through))
        .distinct()
        .subquery()
    )
    join_condition = and_(
        *(pairs.columns[each.key] == other for each, other in zip(behind, there, strict=True))
    )
    return table.join(pairs, join_condition), [pairs.columns[each.key] for each in here], true()


def _join_listing(
    relation: Relation, terms: Terms, table: FromClause
) -> tuple[FromClause, list[Term], ColumnElement[bool]]:
    """Return the same for a *relation* to rows whose array holds a value: each row once for each value asked for."""
    array = terms.items(relation.remote[0])
    # In one parameter, however many there are.
    values = bindparam("fe_sources", type_=postgresql.ARRAY(item_type(array)))
    asked = (
        func.unnest(values).table_valued(column("value", item_type(array)), name="fe_asked").render_derived()
    )
    value = asked.columns["value"]
    return table.join(asked, holds_item(array, value)), [value], true()


def _in_sources(columns: Sequence[Term], types: Sequence[ColumnType]) -> ColumnElement[bool]:
    if len(columns) == 1:
        return columns[0].in_(bindparam("fe_sources", type_=types[0], expanding=True))
    return tuple_(*columns).in_(bindparam("fe_sources", type_=TupleType(*types), expanding=True))


def _is_sendable(plan: Plan, relation: Relation, source: Source) -> bool:
    fields, allows_nul = plan.resource.stored_fields, plan.terms.allows_nul
    if relation.listed_by is Side.TARGET:
        return may_be_item(plan.terms.items(relation.remote[0]), source[0])
    return all(
        is_storable(fields[name], value, allows_nul=allows_nul)
        for name, value in zip(relation.remote, source, strict=True)
    )


def _padded(sources: list[Source]) -> list[Source]:
    """Repeat the last of *sources* up to a power of two: each length is a statement that the server keeps."""
    length = 1 << (len(sources) - 1).bit_length()
    return sources + sources[-1:] * (length - len(sources))
