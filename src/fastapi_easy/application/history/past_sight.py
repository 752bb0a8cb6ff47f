"""What one caller may see of the past of a resource's entities: the one place that decides it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.audit.recorded import recorded_fields
from fastapi_easy.domain.errors import Error
from fastapi_easy.domain.history.timeline import Moment, State, Timeline
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.known_values import compared_names, tell
from fastapi_easy.domain.queries.specification import Everything, Specification, all_of
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import ScopedRepository


@dataclass(frozen=True, slots=True)
class PastSight:
    """What a caller may see of the past.

    An entity that is there has to be visible today, and so has the last state of one that was deleted. Of the past the
    same conditions hold for the values of then.

    Attributes:
        resource: Whose past.

        rows: The entities that the caller may see.

        recorded: The fields whose values are in the trail.

        fields: Those of *recorded* that the caller may read.

        tenant: The partition of the call.

        sees_attempts: Whether the caller may see what did not change anything: reads, and what others were refused.
    """

    resource: Resource[Any]
    rows: Specification
    recorded: tuple[str, ...]
    fields: tuple[str, ...]
    tenant: str | None
    sees_attempts: bool

    @property
    def current_fields(self) -> tuple[str, ...]:
        """What has to be known of a stored entity: its key, its tenant, and what is recorded."""
        own = () if self.resource.tenant is None else (self.resource.tenant,)
        return tuple(dict.fromkeys((*self.resource.key, *self.recorded, *own)))

    def scope(self, repository: Repository[Any]) -> Repository[Any]:
        """Return *repository* limited to the entities that the caller may see today."""
        return repository if isinstance(self.rows, Everything) else ScopedRepository(repository, self.rows)

    def sees(self, state: State | None) -> bool:
        """Return whether the caller may see an entity with *state*; never where that does not tell."""
        return state is not None and tell(self.rows, state) is True

    def sees_entity(self, timeline: Timeline, stored: Mapping[str, Any] | None) -> bool:
        """Return whether the caller may know of the entity.

        Args:
            timeline: Its past.

            stored: The entity, where the caller sees it today.
        """
        if stored is not None:
            return True
        last = timeline.last_change
        if last is None:
            return False
        if isinstance(self.rows, Everything):
            return True
        # One that is there and not visible is not theirs to ask about, whatever it was once.
        return timeline.has_ended and self.sees(last.before)

    def sees_moment(self, moment: Moment) -> bool:
        """Return whether the caller may see what happened at *moment*."""
        told = moment.told
        if not told.is_change and not (self.sees_attempts and self.is_own(told.entry)):
            return False
        if isinstance(self.rows, Everything):
            return True
        sides = [each for each in (moment.before, moment.after) if each is not None]
        if told.entry.outcome != "ok" and not sides:
            # Somebody looked for what was not there any more.
            return True
        return bool(sides) and all(map(self.sees, sides))

    def is_own(self, entry: AuditEntry) -> bool:
        """Return whether *entry* is not about somebody of another tenant."""
        return entry.tenant is None or self.tenant is None or entry.tenant == self.tenant


def past_sight(access: Access, resource: Resource[Any], *actions: str) -> PastSight | Failure[Error]:
    """Return what the caller of *access* may see of the past, by all of *actions*, of which one is HISTORY.

    Fails with:
        Forbidden: They may not do all of that, or their permissions are about what the trail does not tell.

        Unauthenticated: Nor may anybody who does not say who they are.
    """
    grants = []
    for action in actions:
        grant = access.grant(resource, action)
        if grant is None:
            return access.refuse(resource, action)
        grants.append(grant)
    # What `get` does not show, the past does not either.
    shown = access.grant(resource, Operation.GET)
    if shown is not None:
        grants.append(shown)
    conditions: list[Specification] = []
    for each in grants:
        if each.rows not in conditions:
            conditions.append(each.rows)
    rows, recorded = all_of(*conditions), recorded_fields(resource)
    known = {*recorded, *resource.key, resource.tenant}
    untold = next((name for name in compared_names(rows) if name not in known), None)
    if untold is not None:
        return access.refuse(resource, actions[-1], untold)
    readable = set(access.readable(resource))
    for each in grants:
        if each.readable is not None:
            readable &= {*each.readable, *resource.key}
    every = [*actions, *(() if shown is None else (Operation.GET,))]
    return PastSight(
        resource=resource,
        rows=rows,
        recorded=recorded,
        fields=tuple(
            name for name in resource.readable if name in readable and name in {*recorded, *resource.key}
        ),
        tenant=access.context.tenant,
        sees_attempts=all(
            access.sees_all(resource, each) or access.sees_tenant(resource, each) for each in every
        ),
    )
