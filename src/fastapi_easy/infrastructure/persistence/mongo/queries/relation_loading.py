"""Eager loading: the rows that a relation leads to from many entities, in one pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Operator, Specification, Where, all_of
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.sorting import build_sort_plan
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition

_ROWS = f"{LOOKUP_PREFIX}rows"


@dataclass(frozen=True, slots=True)
class RelationLoader:
    """Loads the rows of *plan* that *relation* leads to.

    Attributes:
        relation: Leads to the resource of *plan*.

        plan: Of the related resource.

        plans: Finds the plans of resources that relations lead to.

        query: Selects and sorts the rows, names their fields, and limits how many there are from each source.
    """

    relation: Relation
    plan: Plan
    plans: PlanLookup
    query: Query

    def pipeline(self, sources: Sequence[tuple[object, ...]]) -> list[Document]:
        """Build one pipeline for all of *sources*, which avoids N+1 queries."""
        relation, plan, query = self.relation, self.plan, self.query
        meant = all_of(query.specification, _any_of(relation.remote, sources))
        order = build_sort_plan(total_order(query.order, plan.resource.key), plan, self.plans)
        by = {name: self._group_key(name) for name in relation.remote}
        names = dict.fromkeys((*self._fields, *relation.remote))
        return [
            *build_condition(meant, plan, self.plans).pipeline,
            *order.setup_stages,
            order.sort_stage,
            {"$project": plan.projection(names)},
            {"$group": {KEY: by, _ROWS: {"$firstN": {"n": query.page.limit, "input": "$$ROOT"}}}},
            # Unwound again: as one document a group could be larger than the server allows.
            {"$unwind": f"${_ROWS}"},
            {"$replaceRoot": {"newRoot": f"${_ROWS}"}},
        ]

    def rows(self, sources: Sequence[tuple[object, ...]], documents: Sequence[Document]) -> list[list[Row]]:
        """Decode *documents* to rows, for each of *sources* those it leads to."""
        found: dict[tuple[object, ...], list[Row]] = {source: [] for source in sources}
        for document in documents:
            source = tuple(self.plan.reader.value(document, name) for name in self.relation.remote)
            if source in found:
                found[source].append(self.plan.row(document, self._fields))
        return [found[each] for each in sources]

    def _group_key(self, name: str) -> object:
        """Return what tells the rows of one source from those of others, whatever its values are stored as."""
        path = f"${self.plan.path(name)}"
        if self.plan.resource.stored_fields[name].kind is not Kind.TEXT:
            return path
        # An ObjectId and its text are one value; in two groups their rows would not be in order.
        return {"$cond": [{"$eq": [{"$type": path}, "objectId"]}, {"$toString": path}, path]}

    @property
    def _fields(self) -> tuple[str, ...]:
        return self.plan.names if self.query.fields is None else self.query.fields


def _any_of(names: Sequence[str], sources: Sequence[tuple[object, ...]]) -> Specification:
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
