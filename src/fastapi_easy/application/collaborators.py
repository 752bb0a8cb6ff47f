"""The ports that the handlers of one resource work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from returns.result import Failure

from fastapi_easy.application.access import Access, resolve_access
from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.changes_feed.change_feed import ChangeFeed
from fastapi_easy.application.context import Context
from fastapi_easy.application.idempotency.idempotency import Idempotency
from fastapi_easy.domain.current_tenant import enter_tenant
from fastapi_easy.domain.errors import Error
from fastapi_easy.domain.ports.audit_reader import AuditReader
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

        idempotency: Makes a change once for each idempotency key; without it a call with a key is refused.

        repositories: Makes the repository of each related resource, by name.

        feed: Returns the change feed of its database; `None` for a resource without events.

        trail: Returns the audit trail of the application; `None` for a resource without audit.
    """

    resource: Resource[object]
    repository: Callable[[], Repository[Any]]
    unit_of_work: Callable[[], UnitOfWork]
    ports: ApplicationPorts
    idempotency: Idempotency | None = None
    repositories: Mapping[str, Callable[[], Repository[Any]]] = field(default_factory=dict)
    feed: Callable[[], ChangeFeed] | None = None
    trail: Callable[[], AuditReader] | None = None


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

            Unauthenticated: Nor may anybody who does not say who they are.
        """
        ports = self._collaborators.ports
        if ports.has_tenants:
            enter_tenant(context.tenant)
        principal, ready = context.principal, ports.permissions_of
        if ready is not None and principal.scopes is None:
            # Nobody has to be asked, so that nothing is waited for.
            access = Access(
                context,
                ready(principal, context.tenant),
                action,
                self._resource,
                has_tenants=ports.has_tenants,
                can_authenticate=ports.can_authenticate,
            )
        elif ports.policy is None and principal.scopes is None:
            # No call of `resolve_access`: this is the path of every request in applications without a policy.
            if not ports.has_tenants:
                return Access(context)
            access = Access(
                context,
                None,
                action,
                self._resource,
                has_tenants=True,
                can_authenticate=ports.can_authenticate,
            )
        else:
            access = await resolve_access(ports, context, action, self._resource)
        if access.grant(self._resource, action) is None:
            return access.refuse(self._resource, action)
        return access
