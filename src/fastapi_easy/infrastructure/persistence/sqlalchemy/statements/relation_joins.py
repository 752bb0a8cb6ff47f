"""Relations → what ties the rows of one table to those of another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, literal_column, select

from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step along a relation, inside of a statement.

    Attributes:
        terms: Of the rows it leads to, under a name that the statement uses for nothing else.

        tables: What they are found in.

        tie: What holds for a row and those it leads to.
    """

    terms: Terms
    tables: tuple[FromClause, ...]
    tie: ColumnElement[bool]


def step(relation: Relation, terms: Terms) -> Step:
    """The step along *relation* from the rows of *terms*."""
    lead = terms.leads(relation)
    target = lead.target.of(lead.target.table.alias())
    here = [terms.exact(field) for field in relation.here]
    there = [target.exact(field) for field in relation.there]
    if relation.through is None or lead.through is None:
        return Step(terms=target, tables=(target.table,), tie=_equal(zip(here, there, strict=True)))
    between = lead.through.alias()
    before = zip(here, (between.columns[name] for name in relation.through.here), strict=True)
    behind = zip((between.columns[name] for name in relation.through.there), there, strict=True)
    return Step(terms=target, tables=(between, target.table), tie=_equal((*before, *behind)))


def leads_somewhere(taken: Step, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """What holds for every row from which *taken* leads to at least one that satisfies *condition*."""
    some: Select[Any] = select(literal_column("1")).select_from(*taken.tables).where(taken.tie, condition)
    return some.correlate_except(*taken.tables).exists()


def is_unique(relation: Relation) -> bool:
    """Whether the store itself sees to it that *relation* leads to one row at most."""
    target, there = relation.target, set(relation.there)
    if relation.through is not None:
        return False
    # Among deleted rows all values but those of the key may repeat.
    single = ((name,) for name, field in target.fields.items() if field.unique)
    rules = (target.key,) if target.soft_delete else (target.key, *target.unique, *single)
    return any(there.issuperset(rule) for rule in rules)


def _equal(pairs: Iterable[tuple[ColumnElement[Any], ColumnElement[Any]]]) -> ColumnElement[bool]:
    return and_(*(one == other for one, other in pairs))
