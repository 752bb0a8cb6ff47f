"""What a caller may see, applied to whatever is about to be asked of a store."""

from dataclasses import dataclass
from typing import Any, TypeVar

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Error, Forbidden
from fastapi_easy.domain.narrowed import NarrowedRepository
from fastapi_easy.domain.ordering import Sort
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.resource import Relation, Resource
from fastapi_easy.domain.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Related,
    Specification,
    all_of,
)

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Sight:
    """The eyes of one caller.

    Attributes:
        policy: Says what is visible; `None` lets everybody see everything, at no cost.

        context: Who asks.
    """

    policy: Policy | None
    context: Context

    def of(self, resource: Resource[Any]) -> Specification:
        """The entities of *resource* that are there for the caller."""
        if self.policy is None:
            return EVERYTHING
        return self.policy.visible(self.context.principal, self.context.tenant, resource)

    def narrow(self, resource: Resource[E], repository: Repository[E]) -> Repository[E]:
        """*repository* with only the entities the caller may see."""
        if self.policy is None:
            return repository
        visible = self.of(resource)
        return repository if isinstance(visible, Everything) else NarrowedRepository(repository, visible)

    def sees_all(self, resource: Resource[Any]) -> bool:
        """Whether every entity of *resource* is there for the caller."""
        return self.policy is None or isinstance(self.of(resource), Everything)

    def through(self, specification: Specification) -> Specification:
        """*specification*, in which relations lead only to entities the caller may see."""
        if self.policy is None:
            return specification
        match specification:
            case Related(relation, inner):
                led_to: Relation = relation
                return Related(led_to, all_of(self.through(inner), self.of(led_to.target)))
            case Not(inner):
                return Not(self.through(inner))
            case AllOf(parts):
                return AllOf(tuple(self.through(each) for each in parts))
            case AnyOf(parts):
                return AnyOf(tuple(self.through(each) for each in parts))
            case _:
                return specification

    def refuse(self, order: tuple[Sort, ...]) -> Failure[Error] | None:
        """The refusal of an *order* that would tell something about entities the caller may not see."""
        for sort in order if self.policy is not None else ():
            for relation in sort.path:
                if not isinstance(self.of(relation.target), Everything):
                    return Failure(Forbidden(relation.target.name, "list", sort.name))
        return None
