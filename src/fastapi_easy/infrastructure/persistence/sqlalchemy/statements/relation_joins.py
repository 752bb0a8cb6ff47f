"""Relations → what ties the rows of one table to those of another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, any_, literal_column, select, true

from fastapi_easy.domain.resources.relation import Side
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.array_items import holds_item
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationJoin:
    """One step along a relation, inside of a statement.

    Attributes:
        terms: Of the rows it leads to, under a name that the statement uses for nothing else.

        tables: What they are found in.

        join_condition: What holds for a row and those it leads to.
    """

    terms: Terms
    tables: tuple[FromClause, ...]
    join_condition: ColumnElement[bool]


def join_relation(relation: Relation, terms: Terms) -> RelationJoin:
    """Return the join along *relation* from the rows of *terms*."""
    lead = terms.resolve_relation(relation)
    target = lead.target.aliased()
    if relation.listed_by is not None:
        return RelationJoin(
            terms=target, tables=(target.table,), join_condition=_listed(relation, terms, target)
        )
    here = [terms.exact(field) for field in relation.local]
    there = [target.exact(field) for field in relation.remote]
    if relation.through is None or lead.through is None:
        return RelationJoin(
            terms=target, tables=(target.table,), join_condition=_equal(zip(here, there, strict=True))
        )
    between = lead.through.alias()
    before = zip(here, (between.columns[name] for name in relation.through.local), strict=True)
    behind = zip((between.columns[name] for name in relation.through.remote), there, strict=True)
    condition = and_(_equal((*before, *behind)), is_linking(relation, between))
    return RelationJoin(terms=target, tables=(between, target.table), join_condition=condition)


def is_linking(relation: Relation, between: FromClause) -> ColumnElement[bool]:
    """Build the condition that a row of *between*, the association table of *relation*, is not marked as deleted."""
    deleted = None if relation.association is None else relation.association.deleted_column
    if deleted is None:
        return true()
    return next(column for column in between.columns if column.name == deleted).is_(None)


def exists_related(join: RelationJoin, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Build the condition that *join* leads to at least one row that satisfies *condition*."""
    some: Select[Any] = (
        select(literal_column("1")).select_from(*join.tables).where(join.join_condition, condition)
    )
    return some.correlate_except(*join.tables).exists()


def is_unique(relation: Relation) -> bool:
    """Return whether the store itself makes sure that *relation* leads to one row at most."""
    target, there = relation.target, set(relation.remote)
    if relation.through is not None or relation.listed_by is not None:
        return False
    # Among deleted rows all values but those of the key may repeat.
    single = ((name,) for name, field in target.fields.items() if field.unique)
    rules = (target.key,) if target.soft_delete else (target.key, *target.unique, *single)
    return any(there.issuperset(rule) for rule in rules)


def _listed(relation: Relation, terms: Terms, target: Terms) -> ColumnElement[bool]:
    """Build the condition of a *relation* one of whose fields is an array of values of the other."""
    [here], [there] = relation.local, relation.remote
    if relation.listed_by is Side.SOURCE:
        return target.exact(there) == any_(terms.items(here))
    return holds_item(target.items(there), terms.exact(here))


def _equal(pairs: Iterable[tuple[Term, Term]]) -> ColumnElement[bool]:
    return and_(*(one == other for one, other in pairs))
