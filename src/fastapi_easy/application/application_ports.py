"""The ports that every unit of work of one application uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi_easy.application.cached_tables import CachedTables
from fastapi_easy.domain.ports.audit_recorder import AuditRecorder
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.ports.retry import Retry
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPorts:
    """The ports that every write of one application uses, whatever interface it came through.

    Attributes:
        clock: The clock that dates events.

        event_bus: The event bus, with its subscribers and before-change handlers.

        policy: The policy that grants permissions; `None` permits everything.

        can_authenticate: Whether callers can say who they are, so that anonymous ones who are refused are told to.

        journal: The journal that is written with every change, if there is one.

        journaled: The names of the resources whose changes it is written with; all of them while it is `None`.

        audit: What writes the audit trail; `None` when no resource is declared with one.

        cached: The tables that kept answers depend on; `None` when no resource is declared with a cache.

        resources: Every resource, by name.

        retry: Returns the retry policy, for the parts of a call that are durable one by one; `None` retries none.

        has_tenants: Whether the entities of some resource belong to tenants.

        permissions_of: Returns what *policy* grants a caller without waiting; `None` where that cannot be.
    """

    clock: Clock
    event_bus: EventBus
    policy: Policy | None = None
    can_authenticate: bool = False
    journal: Journal | None = None
    journaled: frozenset[str] | None = None
    audit: AuditRecorder | None = None
    cached: CachedTables | None = None
    resources: Mapping[str, Resource[object]] = field(default_factory=dict)
    retry: Callable[[], Retry] | None = None
    has_tenants: bool = field(init=False, default=False)
    permissions_of: Callable[[Principal, Tenant | None], Permissions] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Decide at start, so that no call of an application without tenants asks for any."""
        has_tenants = any(each.tenant is not None for each in self.resources.values())
        object.__setattr__(self, "has_tenants", has_tenants)
        # Those that are declared have it; others may have to ask somebody.
        object.__setattr__(self, "permissions_of", getattr(self.policy, "permissions_of", None))

    def journal_of(self, resource: Resource[object]) -> Journal | None:
        """Return the journal that is written with changes of *resource*, if there is one."""
        journaled = self.journaled
        return self.journal if journaled is None or resource.name in journaled else None
