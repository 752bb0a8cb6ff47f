"""Eager loading: the rows that a relation leads to from many entities, in one pipeline."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.listed_sources import ListedSources
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Operator, Specification, Where, all_of
from fastapi_easy.domain.resources.relation import Side
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable
from fastapi_easy.infrastructure.persistence.mongo.queries.sorting import build_sort_plan
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition

_ROWS: Final = f"{LOOKUP_PREFIX}rows"
_SOURCE: Final = f"{LOOKUP_PREFIX}source"
"""Where a document made of one item of a list holds that item."""


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

    def pipeline(self, sources: Sequence[tuple[Any, ...]]) -> list[Document]:
        """Build one pipeline for all of *sources*, which avoids N+1 queries."""
        relation, plan, query = self.relation, self.plan, self.query
        meant = all_of(query.specification, self._any_of(sources))
        order = build_sort_plan(total_order(query.order, plan.resource.key), plan, self.plans)
        names = dict.fromkeys((*self._fields, *relation.remote))
        found = build_condition(meant, plan, self.plans).pipeline
        if relation.listed_by is Side.SOURCE:
            # As many as the lists name at most; which of them a source leads to is known by its list.
            return [*found, *order.setup_stages, order.sort_stage, {"$project": plan.projection(names)}]
        projection = plan.projection(names)
        if relation.listed_by is Side.TARGET:
            found += self._list_stages(sources)
            by: object = f"${_SOURCE}"
            projection |= {_SOURCE: 1}
        else:
            by = {name: self._group_key(name) for name in relation.remote}
        return [
            *found,
            *order.setup_stages,
            order.sort_stage,
            {"$project": projection},
            {"$group": {KEY: by, _ROWS: {"$firstN": {"n": query.page.limit, "input": "$$ROOT"}}}},
            # Unwound again: as one document a group could be larger than the server allows.
            {"$unwind": f"${_ROWS}"},
            {"$replaceRoot": {"newRoot": f"${_ROWS}"}},
        ]

    def rows(self, sources: Sequence[tuple[Any, ...]], documents: Sequence[Document]) -> list[list[Row]]:
        """Decode *documents* to rows, for each of *sources* those it leads to."""
        if self.relation.listed_by is Side.SOURCE:
            return self._shared_out(sources, documents)
        found: dict[tuple[object, ...], list[Row]] = {source: [] for source in sources}
        for document in documents:
            source = self._source_of(document)
            if source in found:
                found[source].append(self.plan.row(document, self._fields))
        return [found[each] for each in sources]

    def _shared_out(
        self, sources: Sequence[tuple[Any, ...]], documents: Sequence[Document]
    ) -> list[list[Row]]:
        shared, [name] = ListedSources(sources, self.query.page.limit), self.relation.remote
        for document in documents:
            item = self.plan.reader.value(document, name)
            if shared.wants(item):
                shared.add(item, self.plan.row(document, self._fields))
        return shared.rows

    def _source_of(self, document: Document) -> tuple[object, ...]:
        if self.relation.listed_by is Side.TARGET:
            return (self._item_codec.decode(document[_SOURCE]),)
        return tuple(self.plan.reader.value(document, name) for name in self.relation.remote)

    def _any_of(self, sources: Sequence[tuple[Any, ...]]) -> Specification:
        """Return what means all that *sources* lead to."""
        names = self.relation.remote
        match self.relation.listed_by:
            case Side.SOURCE:
                return Where(names[0], Operator.IN, tuple(ListedSources(sources, 0).items))
            case Side.TARGET:
                return Where(names[0], Operator.HAS_ANY, tuple(source[0] for source in sources))
            case None:
                return _equal_to_any(names, sources)

    def _list_stages(self, sources: Sequence[tuple[Any, ...]]) -> list[Document]:
        """Build the stages that make a document of each item of the target's list that is one of *sources*."""
        path = f"${self.plan.path(self.relation.remote[0])}"
        codec = self._item_codec
        is_text = self.plan.resource.stored_fields[self.relation.remote[0]].item is Kind.TEXT
        asked: list[object] = []
        for (value,) in sources:
            with contextlib.suppress(Unstorable):
                asked.append(value if is_text else codec.encode_operand(value))
        # Each item once: a list may hold it twice, or as an ObjectId and as its text.
        items: object = {"$map": {"input": path, "in": _text_of("$$this")}} if is_text else path
        return [
            {"$set": {_SOURCE: {"$setUnion": [items]}}},
            {"$unwind": f"${_SOURCE}"},
            {"$match": {_SOURCE: {"$in": asked}}},
        ]

    @property
    def _item_codec(self) -> Codec:
        codec = self.plan.codecs[self.relation.remote[0]]
        return codec if codec.item is None else codec.item

    def _group_key(self, name: str) -> object:
        """Return what tells the rows of one source from those of others, whatever its values are stored as."""
        path = f"${self.plan.path(name)}"
        if self.plan.resource.stored_fields[name].kind is not Kind.TEXT:
            return path
        return _text_of(path)

    @property
    def _fields(self) -> tuple[str, ...]:
        return self.plan.names if self.query.fields is None else self.query.fields


def _text_of(path: str) -> Document:
    """Return the expression of the value at *path* with its text in place of an ObjectId.

    Both are one value; in two groups their rows would not be in order.
    """
    return {"$cond": [{"$eq": [{"$type": path}, "objectId"]}, {"$toString": path}, path]}


def _equal_to_any(names: Sequence[str], sources: Sequence[tuple[Any, ...]]) -> Specification:
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
