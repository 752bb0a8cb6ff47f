"""Sorting by fields of related entities: to-one relations are joined to the table.

By an outer join on the side of which there is one row at most, so that no row of the table comes twice: measured
on PostgreSQL it is five times as fast as a subquery for each row, and ten times in the middle of a walk.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, tuple_

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.relation_joins import (
    RelationJoin,
    exists_related,
    is_unique,
    join_relation,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    build_condition,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term, Terms


class Paths:
    """The columns that the sorts of one statement compare.

    Args:
        terms: The terms of the table that is sorted.

        order: The sorts.

    Attributes:
        server: The server of the tables.

        table: The table of *terms*, joined with the tables on the paths of the sorts.
    """

    def __init__(self, terms: Terms, order: Iterable[Sort]) -> None:
        self.server = terms.server
        self.table = terms.table
        self._terms: dict[tuple[Any, ...], Terms] = {(): terms}
        for sort in order:
            for length in range(len(sort.path)):
                self._join(sort.path[: length + 1])

    def plain(self, sort: Sort) -> Term:
        """Return the column of *sort*."""
        return self._terms[sort.path].plain(sort.field)

    def ordered(self, sort: Sort) -> Term:
        """Return what *sort* compares."""
        return self._terms[sort.path].ordered(sort.field)

    def type_of(self, sort: Sort) -> Any:
        """Return the type of the value of *sort* in a cursor."""
        return self._terms[sort.path].type_in_order(sort.field)

    def is_nullable(self, sort: Sort) -> bool:
        """Return whether *sort* may meet null: its field may be null, or its path may lead nowhere."""
        return bool(sort.path) or self._terms[()].fields[sort.field].nullable

    def _join(self, path: tuple[Relation, ...]) -> None:
        if path in self._terms:
            return
        before, relation = self._terms[path[:-1]], path[-1]
        join = join_relation(relation, before)
        there = and_(join.join_condition, _is_not_deleted(relation, join))
        if not is_unique(relation):
            there = and_(there, not_(_has_predecessor(relation, before, join)))
        self._terms[path] = join.terms
        self.table = self.table.outerjoin(join.terms.table, there)


def _is_not_deleted(relation: Relation, join: RelationJoin) -> ColumnElement[bool]:
    """Build the condition that the related row is not marked as deleted."""
    form, _ = parameterize(relation.target.alive, join.terms)
    return build_condition(form, join.terms)


def _has_predecessor(relation: Relation, before: Terms, join: RelationJoin) -> ColumnElement[bool]:
    """Build the condition that *relation* also leads to a row with a smaller key than that of *join*."""
    other = join_relation(relation, before)
    keys = relation.target.key
    mine = tuple_(*(join.terms.ordered(name) for name in keys))
    smaller = tuple_(*(other.terms.ordered(name) for name in keys)) < mine
    return exists_related(other, and_(_is_not_deleted(relation, other), smaller))
