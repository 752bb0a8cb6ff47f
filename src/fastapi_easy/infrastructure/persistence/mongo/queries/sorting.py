"""Orders, and positions in them → stages of a pipeline. Nulls come last in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.comparisons import NO_MATCH
from fastapi_easy.infrastructure.persistence.mongo.queries.document_values import (
    inside_expression,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.keyset import (
    after,
    at,
    at_or_after,
    kept_of,
    position,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.places import place_codec, place_expression
from fastapi_easy.infrastructure.persistence.mongo.queries.relations import build_lookup, key_paths
from fastapi_easy.infrastructure.persistence.mongo.queries.shown_values import shown_expression
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition


@dataclass(frozen=True, slots=True)
class SortTerm:
    """One part of an order.

    Attributes:
        sort: The field and direction, as requested.

        path: The path of its values in the documents of the pipeline.

        codec: Of these values.

        has_nulls: Whether they may be null.

        is_computed: Whether the path is none of the stored document's.
    """

    sort: Sort
    path: str
    codec: Codec
    has_nulls: bool
    is_computed: bool

    @property
    def has_nulls_first(self) -> bool:
        """Whether the server would sort nulls, which come last in every order, in front."""
        return self.has_nulls and not self.sort.descending

    def position(self, document: Document) -> object:
        """Return what a cursor carries of the value in *document*."""
        found: Any = document
        for name in self.path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return position(found, self.codec)


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
        if term.has_nulls_first:
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
    kept = [kept_of(value, term.codec) for term, value in zip(terms, values, strict=True)]
    for term, value in zip(terms, kept, strict=True):
        if value is None and term.has_nulls_first:
            # Nulls come last, so no value of this field comes after one.
            equal.append(_is_null(term))
            continue
        later = after(term.path, value, descending=term.sort.descending)
        if term.has_nulls_first:
            later = {"$or": [later, _is_null(term)]}
        alternatives.append({"$and": [*equal, later]} if equal else later)
        equal.append(at(term.path, value, descending=term.sort.descending))
    first = terms[0]
    if len(terms) == 1 or first.has_nulls_first:
        return _any_of(alternatives)
    # Redundant, but the server can use an index on the first field for it, as it cannot for an `$or`.
    indexed = at_or_after(first.path, kept[0], descending=first.sort.descending)
    return {"$and": [indexed, _any_of(alternatives)]}


def _any_of(alternatives: list[Document]) -> Document:
    match alternatives:
        case []:
            return dict(NO_MATCH)
        case [one]:
            return one
        case _:
            return {"$or": alternatives}


def _is_null(term: SortTerm) -> Document:
    # An array with a null in it is no null.
    return {term.path: {"$eq": None, "$not": {"$type": "array"}}}


def _build_term(
    number: int, sort: Sort, plan: Plan, plans: PlanLookup, setup_stages: list[Document]
) -> SortTerm:
    if not sort.path and sort.field in plan.path_codecs:
        return _by_value_inside(number, sort, plan, plan.path(sort.field), setup_stages)
    if not sort.path:
        path, default = plan.path(sort.field), plan.default(sort.field)
        if default is not None:
            # Sorted by what is shown. It takes the order of an index away, unless a validator requires the field.
            name = f"{LOOKUP_PREFIX}shown_{number}"
            setup_stages.append({"$set": {name: shown_expression(plan, sort.field)}})
            path = name
        nullable = plan.resource.stored_fields[sort.field].nullable
        own = SortTerm(sort, path, plan.codecs[sort.field], nullable, is_computed=default is not None)
        return _by_place(number, own, plan, setup_stages)
    source, prefix, name = plan, "", ""
    for step, relation in enumerate(sort.path):
        target = plans(relation.target)
        name = f"{LOOKUP_PREFIX}by_{number}_{step}"
        setup_stages += _lookup_stages(relation, source, target, name, prefix, plans)
        source, prefix = target, f"{name}."
    path = f"{prefix}{source.path(sort.field)}"
    if sort.field in source.path_codecs:
        return _by_value_inside(number, sort, source, path, setup_stages)
    there = SortTerm(sort, path, source.codecs[sort.field], has_nulls=True, is_computed=True)
    return _by_place(number, there, source, setup_stages)


def _by_value_inside(
    number: int, sort: Sort, plan: Plan, path: str, setup_stages: list[Document]
) -> SortTerm:
    """Return the term of the value at *path* inside of a JSON field, which is computed: null, if it is of no use."""
    name = f"{LOOKUP_PREFIX}inside_{number}"
    setup_stages.append({"$set": {name: inside_expression(path, plan.resource.comparable[sort.field])}})
    return SortTerm(sort, name, plan.path_codecs[sort.field], has_nulls=True, is_computed=True)


def _by_place(number: int, term: SortTerm, plan: Plan, setup_stages: list[Document]) -> SortTerm:
    """Return *term* by the places of its members, where the field of *plan* is an enumeration."""
    field = plan.resource.stored_fields[term.sort.field]
    if field.kind is not Kind.ENUM or field.enumeration is None:
        return term
    name = f"{LOOKUP_PREFIX}place_{number}"
    expression = place_expression(f"${term.path}", field.enumeration, term.codec)
    setup_stages.append({"$set": {name: expression}})
    return SortTerm(term.sort, name, place_codec(field.enumeration), term.has_nulls, is_computed=True)


def _lookup_stages(
    relation: Relation, source: Plan, target: Plan, name: str, prefix: str, plans: PlanLookup
) -> list[Document]:
    """Build the stages that put the one document which *relation* leads to at *name*, or null."""
    not_deleted = build_condition(relation.target.alive, target, plans).pipeline
    not_null = [{"$gt": [f"${path}", None]} for path in key_paths(relation, source, prefix=prefix)]
    return [
        *build_lookup(relation, source, target, name, [*not_deleted, {"$limit": 1}], prefix=prefix),
        {"$set": {name: {"$cond": [{"$and": not_null}, {"$first": f"${name}"}, None]}}},
    ]
