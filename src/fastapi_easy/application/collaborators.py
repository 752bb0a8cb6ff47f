"""The ports that the handlers of one resource work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from returns.result import Failure

from fastapi_easy.application.access import Access, resolve_access
from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Error, Forbidden
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """The ports behind the handlers of *resource*; every handler is made from one of these.

    Attributes:
        resource: The resource that the handlers serve.

        repository: Makes a repository outside of any unit of work, for reading.

        unit_of_work: Makes a unit of work; every change gets its own.

        ports: The ports that every unit of work uses, and the policy.

        repositories: Makes the repository of each related resource, by name.
    """

    resource: Resource[object]
    repository: Callable[[], Repository[Any]]
    unit_of_work: Callable[[], UnitOfWork]
    ports: ApplicationPorts
    repositories: Mapping[str, Callable[[], Repository[Any]]] = field(default_factory=dict)


class ResourceHandler:
    """A handler of one resource's commands.

    Args:
        collaborators: The ports that it works with.
    """

    def __init__(self, collaborators: Collaborators) -> None:
        self._collaborators = collaborators
        self._resource = collaborators.resource

    async def _enter(self, context: Context, action: str) -> Access | Failure[Error]:
        """Return the permissions of the caller of *context*; every use case begins here.

        Fails with:
            Forbidden: The caller may not perform *action*.
        """
        policy = self._collaborators.ports.policy
        if policy is None:
            # No call of `resolve_access`: this is the path of every request in applications without a policy.
            return Access(context)
        access = await resolve_access(policy, context, action, self._resource)
        if access.grant(self._resource, action) is None:
            return Failure(Forbidden(self._resource.name, str(action)))
        return access
