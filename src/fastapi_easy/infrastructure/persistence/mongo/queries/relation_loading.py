"""Rows that a relation leads to from many entities at once → one pipeline, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Operator, Specification, Where, all_of
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import KEY, LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.sorting import build_sort_plan
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition

_ROWS = f"{LOOKUP_PREFIX}rows"


@dataclass(frozen=True, slots=True)
class RelationLoader:
    """The rows of *plan* that *relation* leads to.

    Attributes:
        relation: Leads to the resource of *plan*.

        plan: Of the resource.

        plans: Those of the resources that relations lead to.

        query: Which of the rows, in which order, with which fields, and how many from each source.
    """

    relation: Relation
    plan: Plan
    plans: PlanLookup
    query: Query

    def pipeline(self, sources: Sequence[tuple[Any, ...]]) -> list[Document]:
        """Build one pipeline for all of *sources*, which avoids N+1 queries."""
        relation, plan, query = self.relation, self.plan, self.query
        meant = all_of(query.specification, _any_of(relation.there, sources))
        order = build_sort_plan(total_order(query.order, plan.resource.key), plan, self.plans)
        by = {name: f"${plan.path(name)}" for name in relation.there}
        names = dict.fromkeys((*self._fields, *relation.there))
        return [
            *build_condition(meant, plan, self.plans).pipeline,
            *order.setup_stages,
            order.sort_stage,
            {"$project": plan.projection(names)},
            {"$group": {KEY: by, _ROWS: {"$firstN": {"n": query.page.limit, "input": "$$ROOT"}}}},
            # One by one again: a group could be larger than a document may be.
            {"$unwind": f"${_ROWS}"},
            {"$replaceRoot": {"newRoot": f"${_ROWS}"}},
        ]

    def rows(self, sources: Sequence[tuple[Any, ...]], documents: Sequence[Document]) -> list[list[Row]]:
        """Decode *documents* to rows, for each of *sources* those it leads to."""
        found: dict[tuple[Any, ...], list[Row]] = {source: [] for source in sources}
        for document in documents:
            from_ = tuple(self.plan.value(document, name) for name in self.relation.there)
            if from_ in found:
                found[from_].append(self.plan.row(document, self._fields))
        return [found[source] for source in sources]

    @property
    def _fields(self) -> tuple[str, ...]:
        return self.plan.names if self.query.fields is None else self.query.fields


def _any_of(names: Sequence[str], sources: Sequence[tuple[Any, ...]]) -> Specification:
    if len(names) == 1:
        return Where(names[0], Operator.IN, tuple(source[0] for source in sources))
    return AnyOf(
        tuple(
            AllOf(
                tuple(Where(name, Operator.EQUALS, value) for name, value in zip(names, source, strict=True))
            )
            for source in sources
        )
    )
