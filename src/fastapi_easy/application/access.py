"""The permissions of one caller for one call: the one place that every use case asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar, assert_never

from returns.result import Failure

from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.context import Context
from fastapi_easy.application.tenancy import limit_to_tenant, tenant_grant
from fastapi_easy.domain.access import FULL_GRANT, Grant
from fastapi_easy.domain.changes.row import PartialRow, Row
from fastapi_easy.domain.errors import Error, Forbidden, Unauthenticated
from fastapi_easy.domain.policies.scoped_permissions import ScopedPermissions
from fastapi_easy.domain.ports.policy import Permissions
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.query import Include, Query
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
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.resources.tenancy import within_tenant
from fastapi_easy.domain.scoped_repository import ScopedRepository

E = TypeVar("E")

# `AnyOf` of nothing matches no row: for a reader without a grant there are no entities, as if none existed.
NO_GRANT: Final = Grant(rows=AnyOf(()), readable=frozenset(), writable=frozenset())

_UNASKED: Final = Grant()
"""Stands for the grant of the call's own action until somebody asks for it, as each write does several times."""

_BUILT_IN: Final = frozenset(Operation)


class Access:
    """The permissions of the caller of *context*, remembered for one call.

    Args:
        context: The context of the call, with its caller.

        permissions: The permissions that the policy returned; `None` permits everything, at no cost.

        action: The operation or user-defined action of the call.

        resource: The resource that the call is about.

        has_tenants: Whether the entities of some resource belong to tenants, of which the caller is in one at most.

        has_policy: Whether *permissions* are a policy's; those of credentials alone permit nothing by themselves.

        can_authenticate: Whether an anonymous caller who is refused something could say who they are.

    Attributes:
        is_limited: Whether there is a policy, or there are tenants, so that something may be forbidden.

        has_policy: Whether there is a policy that permits something, and not only credentials that permit less.
    """

    __slots__ = (
        "_action",
        "_can_authenticate",
        "_known",
        "_own",
        "_permissions",
        "_resource",
        "context",
        "has_policy",
        "is_limited",
    )

    def __init__(
        self,
        context: Context,
        permissions: Permissions | None = None,
        action: str = "",
        resource: Resource[object] | None = None,
        *,
        has_tenants: bool = False,
        has_policy: bool = True,
        can_authenticate: bool = False,
    ) -> None:
        self.context = context
        self._can_authenticate = can_authenticate
        self._permissions = permissions
        self._action = action
        self._resource = resource
        # Some policies keep what they grant a caller in a tenant, for all calls.
        self._known: dict[tuple[str, str], Grant | None] | None = getattr(permissions, "kept_grants", None)
        self._own: Grant | None = _UNASKED
        self.has_policy = permissions is not None and has_policy
        self.is_limited = permissions is not None or has_tenants

    @property
    def permissions(self) -> Permissions | None:
        """The permissions as the policy returned them, limited to the scopes of the credentials; `None` permits all."""
        return self._permissions

    def refuse(self, resource: Resource[object], action: str, field: str | None = None) -> Failure[Error]:
        """Return why the caller may not perform *action*, or use *field* in it: `Unauthenticated`, or `Forbidden`."""
        if self._can_authenticate and not self.context.principal.id:
            return Failure(Unauthenticated())
        return Failure(Forbidden(resource.name, str(action), field))

    def grant(self, resource: Resource[object], action: str) -> Grant | None:
        """Return the caller's grant for *action* on *resource*; `None` when they may not perform it at all."""
        if not self.is_limited or (self._permissions is None and resource.tenant is None):
            return FULL_GRANT
        if resource is self._resource and (action == self._action or self._action not in _BUILT_IN):
            # A user-defined action decides itself what it does to its entity: its own grant covers its writes.
            own = self._own
            if own is _UNASKED:
                own = self._own = self._find_grant(resource, self._action)
            return own
        return self._find_grant(resource, action)

    def _find_grant(self, resource: Resource[object], action: str) -> Grant | None:
        if self._known is None:
            self._known = {}
        place = resource.name, action
        if place not in self._known:
            given = FULL_GRANT if self._permissions is None else self._permissions.grant(resource, action)
            self._known[place] = limit_to_tenant(given, resource, action, self.context.tenant)
        return self._known[place]

    def read_grant(self, resource: Resource[object]) -> Grant:
        """Return the caller's grant for reading *resource*, through the call itself or beside what it asks for."""
        if resource is not self._resource or not self._action:
            return self.grant(resource, Operation.GET) or NO_GRANT
        own = self._own
        return (self.grant(resource, self._action) if own is _UNASKED else own) or NO_GRANT

    def scope_repository(
        self, resource: Resource[Any], repository: Repository[E], action: str | None = None
    ) -> Repository[E]:
        """Return *repository* limited to the entities the caller may access, for *action* or for reading."""
        if not self.is_limited:
            return repository
        rows = self._grant_for(resource, action).rows
        return repository if isinstance(rows, Everything) else ScopedRepository(repository, rows)

    def sees_all(self, resource: Resource[object], action: str | None = None) -> bool:
        """Return whether the caller may see every entity of *resource*, or access every one by *action*."""
        return not self.is_limited or type(self._grant_for(resource, action).rows) is Everything

    def sees_tenant(self, resource: Resource[object], action: str | None = None) -> bool:
        """Return whether the caller may see every entity of *resource* that belongs to their tenant.

        Then a write that leaves the field of the tenant alone cannot take an entity out of the caller's sight.
        """
        if not self.is_limited or resource.tenant is None:
            return False
        rows = self._grant_for(resource, action).rows
        own = tenant_grant(resource, self.context.tenant).rows
        # Equal if it was dropped from the cache of grants in between.
        return rows is own or rows == own

    def _grant_for(self, resource: Resource[object], action: str | None) -> Grant:
        """Return the grant for *action*, or for reading by this call."""
        return self.read_grant(resource) if action is None else self.grant(resource, action) or NO_GRANT

    def restrict_relations(self, specification: Specification) -> Specification:
        """Return *specification* with its relations restricted to entities the caller may see."""
        if not self.is_limited:
            return specification
        match specification:
            case Related(relation, inner):
                related: Relation = relation
                return Related(
                    related, all_of(self.restrict_relations(inner), self.read_grant(related.target).rows)
                )
            case Not(inner):
                return Not(self.restrict_relations(inner))
            case AllOf(parts):
                return AllOf(tuple(self.restrict_relations(each) for each in parts))
            case AnyOf(parts):
                return AnyOf(tuple(self.restrict_relations(each) for each in parts))
            case Everything() | Where() | HoldsWords():
                return specification
            case _:
                assert_never(specification)

    def restrict_order(self, order: tuple[Sort, ...]) -> tuple[Sort, ...]:
        """Return *order* with its relations leading to entities of the caller's tenant only."""
        if not (self.is_limited and any(sort.path for sort in order)):
            return order
        return tuple(
            replace(sort, path=tuple(within_tenant(each) or each for each in sort.path)) for sort in order
        )

    def check_query(self, resource: Resource[object], query: Query) -> Failure[Error] | None:
        """Return a `Forbidden` failure when *query* would disclose what the caller may not read; `None` otherwise."""
        if not self.is_limited:
            return None
        # An order or a comparison discloses values as surely as an answer does: a caller could search for them.
        for sort in query.order:
            if (denied := self._check_order(resource, sort)) is not None:
                return denied
        for owner, name in _compared_fields(resource, query.specification) if self._permissions else ():
            if (denied := self.check_readable(owner, (name,))) is not None:
                return denied
        if query.fields is not None and (denied := self.check_readable(resource, query.fields)) is not None:
            return denied
        for include in query.includes:
            if (denied := self._check_relation(include.relation)) is not None:
                return denied
            if (denied := self.check_query(include.relation.target, include.query)) is not None:
                return denied
        return None

    def check_readable(self, resource: Resource[object], names: Sequence[str]) -> Failure[Error] | None:
        """Return a `Forbidden` failure unless the caller may read all fields *names* of *resource*."""
        readable = self._readable(resource)
        if readable is None:
            return None
        for name in names:
            if name not in readable and name not in resource.key:
                return self.refuse(resource, self._action, name)
        return None

    def check_writable(
        self, resource: Resource[object], action: str, values: Mapping[str, Any]
    ) -> Failure[Error] | None:
        """Return a `Forbidden` failure unless the caller may perform *action* and set every field of *values*."""
        if self._permissions is None:
            return None
        if self.grant(resource, action) is None:
            return self.refuse(resource, action)
        writable = self.writable(resource, action)
        if writable is None:
            return None
        for name in values:
            if name not in writable:
                return self.refuse(resource, action, name)
        return None

    def writable(self, resource: Resource[object], action: str) -> frozenset[str] | None:
        """Return the fields that the caller may set by *action* on the way of the call's own; `None` means all."""
        grant = self.grant(resource, action)
        if action == self._action:
            return (grant or NO_GRANT).writable
        # A replace, a bulk or an import may set no more than its own grant allows, nor than that of each item.
        is_own = resource is self._resource and self._action not in {"", action}
        own = self.grant(resource, self._action) if is_own else grant
        return _common((grant or NO_GRANT).writable, (own or NO_GRANT).writable)

    def readable(self, resource: Resource[object]) -> tuple[str, ...]:
        """Return the fields of *resource* that the caller may read, in declared order."""
        allowed = self._readable(resource)
        if allowed is None:
            return resource.readable
        return tuple(name for name in resource.readable if name in allowed or name in resource.key)

    def visible_row(self, resource: Resource[object], row: Row, includes: Sequence[Include] = ()) -> Row:
        """Return *row* as the caller may see it.

        Args:
            resource: The resource of the entity.

            row: A row with at least the readable fields.

            includes: The includes whose members it holds and is to keep.
        """
        whole = row if includes else resource.visible_row(row)
        if self._readable(resource) is None:
            return whole
        names = self.readable(resource)
        if len(names) == len(resource.readable):
            return whole
        kept = (*names, *(include.relation.name for include in includes))
        return PartialRow({name: whole[name] for name in kept}, resource.version_of(whole))

    def visible_rows(self, resource: Resource[object], rows: Sequence[Row]) -> Sequence[Row]:
        """Return *rows*, each as `visible_row` does; a lazy sequence is not evaluated where nothing is to be hidden."""
        if self._permissions is None or len(self.readable(resource)) == len(resource.readable):
            return resource.visible_rows(rows)
        return [self.visible_row(resource, row) for row in rows]

    def _readable(self, resource: Resource[object]) -> frozenset[str] | None:
        """Return the fields that the caller may read by this call; `None` means all.

        What `get` does not show them no other operation does, be it as the answer to a change without values.
        """
        if self._permissions is None:
            return None
        own = self._own
        if own is None or own is _UNASKED or resource is not self._resource:
            own = self.read_grant(resource)
        if resource is self._resource and (self._action == Operation.GET or self._action not in _BUILT_IN):
            return own.readable
        shown = self._find_grant(resource, Operation.GET)
        if shown is None or own.readable is shown.readable:
            return own.readable
        return _common(own.readable, shown.readable)

    def _check_relation(self, relation: Relation) -> Failure[Error] | None:
        """Return a `Forbidden` failure unless the caller may read what *relation* compares: following it tells."""
        if self.read_grant(relation.target) is NO_GRANT:
            # It leads nowhere, whatever is stored.
            return None
        return self.check_readable(relation.source, relation.local) or self.check_readable(
            relation.target, relation.remote
        )

    def _check_order(self, resource: Resource[object], sort: Sort) -> Failure[Error] | None:
        owner = resource
        for relation in sort.path:
            if (denied := self._check_relation(relation)) is not None:
                return denied
            owner = relation.target
            # The position of a row would tell the value of a related entity that the caller may not see.
            if not (self.sees_all(owner) or (within_tenant(relation) and self.sees_tenant(owner))):
                return self.refuse(owner, Operation.LIST, sort.name)
        return self.check_readable(owner, (sort.holder,))


def _common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Return the fields in both; `None` stands for all."""
    if one is None or one is other:
        return other
    return one if other is None else one & other


def _compared_fields(
    resource: Resource[object], specification: Specification
) -> Iterator[tuple[Resource[object], str]]:
    """Yield the fields that *specification* compares, each with its resource."""
    match specification:
        case Where():
            yield resource, specification.holder
        case HoldsWords(fields):
            yield from ((resource, name) for name in fields)
        case Related(relation, inner):
            related: Relation = relation
            # Along a relation one learns the values that it compares.
            yield from ((resource, name) for name in related.local)
            yield from ((related.target, name) for name in related.remote)
            yield from _compared_fields(related.target, inner)
        case Not(inner):
            yield from _compared_fields(resource, inner)
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from _compared_fields(resource, each)
        case Everything():
            return
        case _:
            assert_never(specification)


async def resolve_access(
    ports: ApplicationPorts, context: Context, action: str = "", resource: Resource[object] | None = None
) -> Access:
    """Return the permissions of the caller of *context*: those of the policy, where there is one, and of the scopes."""
    policy, scopes = ports.policy, context.principal.scopes
    permissions = None if policy is None else await policy.permissions(context.principal, context.tenant)
    if scopes is not None:
        permissions = ScopedPermissions(scopes, permissions, type(policy).__name__)
    if permissions is None and not ports.has_tenants:
        return Access(context)
    return Access(
        context,
        permissions,
        action,
        resource,
        has_tenants=ports.has_tenants,
        has_policy=policy is not None,
        can_authenticate=ports.can_authenticate,
    )
