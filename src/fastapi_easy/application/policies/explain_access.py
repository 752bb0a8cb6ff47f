"""Explain whether a caller may do something, and which rule decides."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.access import resolve_access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.current_tenant import enter_tenant
from fastapi_easy.domain.errors import Error, Key, Outcome, Unauthenticated
from fastapi_easy.domain.policies.permissions import READS
from fastapi_easy.domain.policies.verdict import Verdict, verdicts_of
from fastapi_easy.domain.policies.wording import describe_rows
from fastapi_easy.domain.ports.policy import Permissions
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.resources.tenancy import read_tenant
from fastapi_easy.domain.scoped_repository import deleted_entities

_OF_DELETED: Final = frozenset({Operation.RESTORE, Operation.PURGE})
_SETS_FIELDS: Final = (
    frozenset({*Operation, RESTORE_IMPORT}) - READS - {Operation.DELETE, Operation.HISTORY} - _OF_DELETED
)


class Decision(enum.StrEnum):
    """What the kernel answers."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    HIDDEN = "hidden"
    """The action is allowed, and not for this entity, which the caller is told does not exist."""


@dataclass(frozen=True, slots=True)
class ExplainAccess:
    """Explain whether the caller may perform *action*.

    Attributes:
        action: The name of an operation, or of an action of the user's own.

        key: The entity; `None` for the action in general.
    """

    action: str
    key: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Whether a caller may do something, and why.

    Attributes:
        resource, action: What was asked about.

        decision: What the kernel answers.

        rules: What each rule about the action says.

        rows: The entities that the action is allowed for, in words; empty when it is not allowed.

        readable: The fields that the caller is shown.

        writable: The fields that the caller may set; empty for an action that sets none.

        stamps: What a new entity gets, whatever the caller says.
    """

    resource: str
    action: str
    decision: Decision
    rules: Sequence[Verdict]
    rows: str = ""
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    stamps: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_allowed(self) -> bool:
        """Whether the caller may."""
        return self.decision is Decision.ALLOWED

    @property
    def deciding(self) -> tuple[str, ...]:
        """Where the rules stand that allow the action, or for a caller who may not those that do not."""
        is_permitted = self.decision in {Decision.ALLOWED, Decision.HIDDEN}
        return tuple(each.place for each in self.rules if each.allows is is_permitted)


class ExplainAccessHandler(ResourceHandler):
    """Carries out `ExplainAccess`. It tells of entities whoever asks, and is meant for those who run the program."""

    async def __call__(self, command: ExplainAccess, context: Context, /) -> Outcome[Explanation]:
        """Return what the kernel would answer the caller of *context*, and why.

        Fails with:
            NotFound: There is no entity with that key at all.
        """
        resource, action = self._resource, command.action
        ports = self._collaborators.ports
        if ports.has_tenants:
            enter_tenant(context.tenant)
        access = await resolve_access(ports, context, action, resource)
        permissions, place = access.permissions, type(ports.policy).__name__
        decisive = decisive_action(permissions, resource, action)
        grant = access.grant(resource, decisive)
        rules = (
            (Verdict("no policy", True, "without a policy everything is allowed"),)
            if permissions is None
            else verdicts_of(permissions, resource, decisive, place)
        )
        if resource.tenant is not None:
            rules = (*rules, _verdict_of_tenancy(resource, context, allows=grant is not None))
        if grant is None:
            refusal = access.refuse(resource, action).failure()
            is_anonymous = isinstance(refusal, Unauthenticated)
            decision = Decision.UNAUTHENTICATED if is_anonymous else Decision.FORBIDDEN
            return Success(Explanation(resource=resource.name, action=action, decision=decision, rules=rules))
        is_hidden = False if command.key is None else await self._is_hidden(action, command.key, grant)
        if isinstance(is_hidden, Failure):
            return is_hidden
        return Success(
            Explanation(
                resource=resource.name,
                action=action,
                decision=Decision.HIDDEN if is_hidden else Decision.ALLOWED,
                rules=rules,
                rows=describe_rows(grant.rows),
                readable=access.readable(resource),
                writable=writable_fields(resource, action, grant),
                stamps=grant.stamps,
            )
        )

    async def _is_hidden(self, action: str, key: Key, grant: Grant) -> bool | Failure[Error]:
        repository = self._collaborators.repository()
        if action in _OF_DELETED:
            repository = deleted_entities(repository)
        there = await repository.read(key, self._resource.key)
        if isinstance(there, Failure):
            return there
        return isinstance(await repository.read(key, self._resource.key, scope=grant.rows), Failure)


def _verdict_of_tenancy(resource: Resource[Any], context: Context, *, allows: bool) -> Verdict:
    place = f"tenant of {resource.name}"
    if read_tenant(resource, context.tenant) is None:
        return Verdict(place, False, "the caller works in no tenant, so that no entity exists for them")
    return Verdict(place, allows, f"entities of {context.tenant} only")


def decisive_action(permissions: Permissions | None, resource: Resource[Any], action: str) -> str:
    """Return the action whose grant decides about *action*: a replace that is permitted is carried out as an update."""
    is_permitted = permissions is None or permissions.grant(resource, action) is not None
    return Operation.UPDATE.value if action == Operation.REPLACE and is_permitted else action


def sets_fields(action: str) -> bool:
    """Return whether *action* may set fields; one of the user's own may."""
    return action not in READS and (action not in set(Operation) or action in _SETS_FIELDS)


def writable_fields(resource: Resource[Any], action: str, grant: Grant) -> tuple[str, ...]:
    """Return the fields that *grant* lets a caller set by *action*, in declared order; none where it sets none."""
    if not sets_fields(action):
        return ()
    possible = resource.changeable if action == Operation.UPDATE else resource.writable
    return tuple(name for name in possible if grant.writable is None or name in grant.writable)
