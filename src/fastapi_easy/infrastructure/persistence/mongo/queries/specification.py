"""Specifications → what pipelines take."""

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
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import FETCHED, KEY, Document, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.comparisons import NOBODY, compared
from fastapi_easy.infrastructure.persistence.mongo.queries.relations import leads, lookup

Plans: TypeAlias = Callable[[Resource[Any]], Plan[Any]]
"""Finds the plan of a resource."""


@dataclass(slots=True)
class Condition:
    """A specification, ready for a pipeline.

    Attributes:
        plain: What can be said about a document alone.

        stages: What fetches the related documents that the rest is about.

        related: The rest.
    """

    plain: Document = field(default_factory=dict)
    stages: list[Document] = field(default_factory=list)
    related: Document = field(default_factory=dict)

    @property
    def pipeline(self) -> list[Document]:
        """The stages that let pass what the specification means."""
        alone: list[Document] = [{"$match": self.plain}] if self.plain else []
        return [*alone, *self.stages, {"$match": self.related}] if self.stages else alone


def condition_of(specification: Specification, plan: Plan[Any], plans: Plans) -> Condition:
    """*specification* about documents of *plan*.

    Args:
        specification: The tree.

        plan: Whom it is about.

        plans: Those of the resources that relations lead to.

    Raises:
        Refused: A text is too long to be looked for.
    """
    if isinstance(specification, Everything):
        return Condition()
    parts = specification.specifications if isinstance(specification, AllOf) else (specification,)
    stages: list[Document] = []

    def match(each: Specification) -> Document:
        return _match(each, plan, plans, stages)

    plain = match(all_of(*(each for each in parts if not _asks_others(each))))
    return Condition(plain, stages, match(all_of(*(each for each in parts if _asks_others(each)))))


def is_plain(specifications: Iterable[Specification]) -> bool:
    """Whether nobody has to be asked but the document itself."""
    return not any(_asks_others(each) for each in specifications)


def _asks_others(specification: Specification) -> bool:
    match specification:
        case Related():
            return True
        case Not(inner):
            return _asks_others(inner)
        case AllOf(parts) | AnyOf(parts):
            return not is_plain(parts)
        case Everything() | Where():
            return False


def _match(specification: Specification, plan: Plan[Any], plans: Plans, stages: list[Document]) -> Document:
    match specification:
        case Everything():
            return {}
        case Where(name):
            return compared(specification, plan.path(name), plan.resource.fields[name], plan.codecs[name])
        case Not(inner):
            return {"$nor": [_match(inner, plan, plans, stages)]}
        case AllOf(parts):
            return {"$and": [_match(part, plan, plans, stages) for part in parts]} if parts else {}
        case AnyOf(parts):
            return {"$or": [_match(part, plan, plans, stages) for part in parts]} if parts else dict(NOBODY)
        case Related(relation, inner):
            return _related(relation, inner, plan, plans, stages)


def _related(
    relation: Relation, inner: Specification, plan: Plan[Any], plans: Plans, stages: list[Document]
) -> Document:
    target = plans(relation.target)
    inside = condition_of(inner, target, plans).pipeline
    name = f"{FETCHED}related_{len(stages)}"
    first: list[Document] = [{"$limit": 1}, {"$project": {KEY: 1}}]
    stages.append(lookup(relation, plan, target, name, [*inside, *first]))
    # Null leads nowhere, though the server would compare it.
    somewhere: list[Document] = [{path: {"$ne": None}} for path in leads(relation, plan)]
    return {"$and": [{name: {"$ne": []}}, *somewhere]}
