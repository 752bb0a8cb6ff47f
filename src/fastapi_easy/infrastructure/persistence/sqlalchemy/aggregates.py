"""Aggregates of many rows, with one statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Executable, bindparam, select, type_coerce

from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.infrastructure.persistence.sqlalchemy.reading import Fetch
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.order import order_by_clauses
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    ConditionTemplate,
    build_condition,
    name_parameters,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.totals import Total, total_of


async def aggregate_rows(plan: Plan, aggregation: Aggregation, fetch: Fetch) -> list[Group]:
    """Read the groups that *aggregation* asks for, with their numbers, in one statement.

    Args:
        plan: The plan of the resource.

        aggregation: What is asked for.

        fetch: Runs a statement; called once.
    """
    form, values = parameterize(aggregation.specification, plan.terms)
    totals = [total_of(measure, plan.terms) for measure in aggregation.measures]
    statement = _statement(plan, aggregation, form, totals)
    window = {"fe_limit": aggregation.limit, "fe_offset": aggregation.offset}
    records = await fetch(statement, {**name_parameters(values), **window})
    return [_group(record, len(aggregation.group_by), totals) for record in records]


def _statement(
    plan: Plan, aggregation: Aggregation, form: ConditionTemplate, totals: Sequence[Total]
) -> Executable:
    def build() -> Executable:
        terms = plan.terms
        by = [terms.exact(name) for name in aggregation.group_by]
        groups = [_as_stored(name, terms) for name in aggregation.group_by]
        order = [Sort(name) for name in aggregation.group_by]
        numbers = [column for total in totals for column in total.columns()]
        statement = select(*groups, *numbers).select_from(terms.table).where(build_condition(form, terms))
        arranged = statement.group_by(*by).order_by(*order_by_clauses(order, Paths(terms, order)))
        return arranged.limit(_bind("fe_limit")).offset(_bind("fe_offset"))

    return plan.statement(("aggregate", aggregation.measures, aggregation.group_by, form), build)


def _as_stored(name: str, terms: Terms) -> Term:
    exact, plain = terms.exact(name), terms.plain(name)
    return plain if exact is plain else type_coerce(exact, plain.type)


def _group(record: Sequence[Any], width: int, totals: Sequence[Total]) -> Group:
    numbers = []
    place = width
    for total in totals:
        numbers.append(total.read(record[place : place + total.width]))
        place += total.width
    return Group(tuple(record[:width]), tuple(numbers))


def _bind(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())
