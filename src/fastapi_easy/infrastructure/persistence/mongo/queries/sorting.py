"""Orders, and positions in them → stages of a pipeline. Nulls come last in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.comparisons import NO_MATCH, build_comparison
from fastapi_easy.infrastructure.persistence.mongo.queries.relations import build_lookup, key_paths
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition


@dataclass(frozen=True, slots=True)
class SortTerm:
    """One part of an order.

    Attributes:
        sort: The field and direction, as requested.

        path: The path of its values in the documents of the pipeline.

        field: Of these values.

        codec: Likewise.

        has_nulls: Whether they may be null.
    """

    sort: Sort
    path: str
    field: Field
    codec: Codec
    has_nulls: bool

    def value(self, document: Document) -> object:
        """Decode the value in *document*."""
        found: Any = document
        for name in self.path.split("."):
            found = None if found is None else found.get(name)
        return None if found is None else self.codec.decode(found)


@dataclass(frozen=True, slots=True)
class SortPlan:
    """A total order over the documents of one plan.

    Attributes:
        terms: The most important first.

        setup_stages: The stages before it: they look up related entities, and compute whether values are null.

        sort_stage: The `$sort`.
    """

    terms: tuple[SortTerm, ...]
    setup_stages: list[Document]
    sort_stage: Document


def build_sort_plan(order: Sequence[Sort], plan: Plan, plans: PlanLookup) -> SortPlan:
    """Build the plan for *order*, which is total, over documents of *plan*."""
    setup_stages: list[Document] = []
    terms = tuple(_build_term(number, sort, plan, plans, setup_stages) for number, sort in enumerate(order))
    computed: Document = {}
    by: dict[str, int] = {}
    for number, term in enumerate(terms):
        if term.has_nulls and not term.sort.descending:
            # The server sorts nulls first, which is last only in descending order.
            name = f"{LOOKUP_PREFIX}null_{number}"
            computed[name] = {"$eq": [{"$ifNull": [f"${term.path}", None]}, None]}
            by[name] = 1
        by[term.path] = -1 if term.sort.descending else 1
    if computed:
        setup_stages.append({"$set": computed})
    return SortPlan(terms, setup_stages, {"$sort": by})


def build_keyset_match(terms: Sequence[SortTerm], values: Sequence[object]) -> Document:
    """Build the match for every document after the position with *values* (keyset pagination)."""
    alternatives: list[Document] = []
    equal: list[Document] = []
    for term, value in zip(terms, values, strict=True):
        if value is None:
            # Nulls come last, so no value of this field comes after one.
            equal.append(_compare(term, Operator.IS_NULL, value=True))
            continue
        after = _compare(term, Operator.LESS if term.sort.descending else Operator.GREATER, value)
        if term.has_nulls:
            after = {"$or": [after, _compare(term, Operator.IS_NULL, value=True)]}
        alternatives.append({"$and": [*equal, after]} if equal else after)
        equal.append(_compare(term, Operator.EQUALS, value))
    first = terms[0]
    if len(terms) == 1 or values[0] is None or first.has_nulls:
        return _any_of(alternatives)
    # Redundant, but the server can use an index on the first field for it, as it cannot for an `$or`.
    operator = Operator.LESS_OR_EQUAL if first.sort.descending else Operator.GREATER_OR_EQUAL
    return {"$and": [_compare(first, operator, values[0]), _any_of(alternatives)]}


def _any_of(alternatives: list[Document]) -> Document:
    match alternatives:
        case []:
            return dict(NO_MATCH)
        case [one]:
            return one
        case _:
            return {"$or": alternatives}


def _compare(term: SortTerm, operator: Operator, value: object) -> Document:
    return build_comparison(Where(term.sort.field, operator, value), term.path, term.field, term.codec)


def _build_term(
    number: int, sort: Sort, plan: Plan, plans: PlanLookup, setup_stages: list[Document]
) -> SortTerm:
    if not sort.path:
        field = plan.resource.fields[sort.field]
        return SortTerm(sort, plan.path(sort.field), field, plan.codecs[sort.field], field.nullable)
    source, prefix, name = plan, "", ""
    for step, relation in enumerate(sort.path):
        target = plans(relation.target)
        name = f"{LOOKUP_PREFIX}by_{number}_{step}"
        setup_stages += _lookup_stages(relation, source, target, name, prefix, plans)
        source, prefix = target, f"{name}."
    path = f"{prefix}{source.path(sort.field)}"
    return SortTerm(sort, path, source.resource.fields[sort.field], source.codecs[sort.field], has_nulls=True)


def _lookup_stages(
    relation: Relation, source: Plan, target: Plan, name: str, prefix: str, plans: PlanLookup
) -> list[Document]:
    """Build the stages that put the one document which *relation* leads to at *name*, or null."""
    not_deleted = build_condition(relation.target.alive, target, plans).pipeline
    not_null = [{"$gt": [f"${path}", None]} for path in key_paths(relation, source, prefix=prefix)]
    return [
        build_lookup(relation, source, target, name, [*not_deleted, {"$limit": 1}], prefix=prefix),
        {"$set": {name: {"$cond": [{"$and": not_null}, {"$first": f"${name}"}, None]}}},
    ]
