"""Specifications → the stages of a pipeline."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Related,
    Specification,
    Where,
    all_of,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.comparisons import NO_MATCH, build_comparison
from fastapi_easy.infrastructure.persistence.mongo.queries.full_text import build_text_search, build_words
from fastapi_easy.infrastructure.persistence.mongo.queries.relations import build_lookup, leads_somewhere

PlanLookup: TypeAlias = Callable[[Resource[Any]], Plan]
"""Finds the plan of a resource."""


@dataclass(slots=True)
class Condition:
    """A specification, translated.

    Attributes:
        match: The part about a document alone: a filter, which `find` and writes take too.

        lookup_stages: Fetch the related documents that the rest is about.

        related_match: The filter for the rest.
    """

    match: Document = field(default_factory=dict)
    lookup_stages: list[Document] = field(default_factory=list)
    related_match: Document = field(default_factory=dict)

    @property
    def pipeline(self) -> list[Document]:
        """The stages that let pass what the specification means."""
        # First, since it can use an index, and leaves fewer documents to look up for.
        alone: list[Document] = [{"$match": self.match}] if self.match else []
        return [*alone, *self.lookup_stages, {"$match": self.related_match}] if self.lookup_stages else alone


def build_condition(specification: Specification, plan: Plan, plans: PlanLookup) -> Condition:
    """Translate *specification* about documents of *plan*.

    Args:
        specification: The tree.

        plan: Of the resource it is about.

        plans: Finds the plans of resources that relations lead to.

    Raises:
        CallRejected: A text is too long to be searched for.
    """
    if isinstance(specification, Everything):
        return Condition()
    parts = specification.specifications if isinstance(specification, AllOf) else (specification,)
    lookup_stages: list[Document] = []

    def build(each: Specification) -> Document:
        return _build_match(each, plan, plans, lookup_stages)

    match = build(all_of(*(each for each in parts if not _needs_lookup(each))))
    if narrowing := build_text_search(specification, plan):
        match = {"$and": [narrowing, match]}
    return Condition(match, lookup_stages, build(all_of(*(each for each in parts if _needs_lookup(each)))))


def needs_no_lookup(specifications: Iterable[Specification]) -> bool:
    """Return whether *specifications* are about a document alone, so that none needs a `$lookup`."""
    return not any(_needs_lookup(each) for each in specifications)


def _needs_lookup(specification: Specification) -> bool:
    match specification:
        case Related():
            return True
        case Not(inner):
            return _needs_lookup(inner)
        case AllOf(parts) | AnyOf(parts):
            return not needs_no_lookup(parts)
        case Everything() | Where() | HoldsWords():
            return False


def _build_match(
    specification: Specification, plan: Plan, plans: PlanLookup, lookup_stages: list[Document]
) -> Document:
    match specification:
        case Everything():
            return {}
        case Where():
            return build_comparison(specification, plan)
        case HoldsWords():
            return build_words(specification, plan)
        case Not(inner):
            return {"$nor": [_build_match(inner, plan, plans, lookup_stages)]}
        case AllOf(parts):
            return (
                {"$and": [_build_match(part, plan, plans, lookup_stages) for part in parts]} if parts else {}
            )
        case AnyOf(parts):
            return (
                {"$or": [_build_match(part, plan, plans, lookup_stages) for part in parts]}
                if parts
                else dict(NO_MATCH)
            )
        case Related(relation, inner):
            return _build_related_match(relation, inner, plan, plans, lookup_stages)


def _build_related_match(
    relation: Relation,
    inner: Specification,
    plan: Plan,
    plans: PlanLookup,
    lookup_stages: list[Document],
) -> Document:
    target = plans(relation.target)
    inside = build_condition(inner, target, plans).pipeline
    name = f"{LOOKUP_PREFIX}related_{len(lookup_stages)}"
    first: list[Document] = [{"$limit": 1}, {"$project": {KEY: 1}}]
    lookup_stages += build_lookup(relation, plan, target, name, [*inside, *first])
    # Null leads nowhere, though `$lookup` would find other nulls equal to it.
    return {"$and": [{name: {"$ne": []}}, *leads_somewhere(relation, plan)]}
