"""What the handlers of one resource work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """The ports behind the handlers of *resource*; every handler is made from one of these.

    Attributes:
        resource: Whose entities.

        repository: Makes a repository that stands alone.

        unit_of_work: Makes a unit of work; every change gets its own.

        clock: When something happened.

        policy: What callers may do; everything when there is none.

        repositories: Makes the repository of each resource that relations lead to, by name.
    """

    resource: Resource[Any]
    repository: Callable[[], Repository[Any]]
    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    policy: Policy | None = None
    repositories: Mapping[str, Callable[[], Repository[Any]]] = field(default_factory=dict)


class ResourceHandler:
    """A handler of one resource's commands.

    Args:
        collaborators: What it works with.
    """

    def __init__(self, collaborators: Collaborators) -> None:
        self._with = collaborators
        self._resource = collaborators.resource
