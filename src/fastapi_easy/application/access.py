"""The permissions of one caller for one call: the one place that every use case asks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, assert_never

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.changes.row import PartialRow, Row
from fastapi_easy.domain.errors import Error, Forbidden
from fastapi_easy.domain.ports.policy import Permissions, Policy
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
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.scoped_repository import ScopedRepository

E = TypeVar("E")

FULL_GRANT: Final = Grant()

# `AnyOf` of nothing matches no row: for a reader without a grant there are no entities, as if none existed.
NO_GRANT: Final = Grant(rows=AnyOf(()), readable=frozenset(), writable=frozenset())

_BUILT_IN: Final = frozenset(Operation)


class Access:
    """The permissions of the caller of *context*, remembered for one call.

    Args:
        context: The context of the call, with its caller.

        permissions: The permissions that the policy returned; `None` permits everything, at no cost.

        action: The operation or user-defined action of the call.

        resource: The resource that the call is about.

    Attributes:
        is_limited: Whether there is a policy, so that something may be forbidden.
    """

    __slots__ = ("_action", "_known", "_permissions", "_resource", "context", "is_limited")

    def __init__(
        self,
        context: Context,
        permissions: Permissions | None = None,
        action: str = "",
        resource: Resource[object] | None = None,
    ) -> None:
        self.context = context
        self._permissions = permissions
        self._action = action
        self._resource = resource
        self._known: dict[tuple[str, str], Grant | None] | None = None
        self.is_limited = permissions is not None

    def grant(self, resource: Resource[object], action: str) -> Grant | None:
        """Return the caller's grant for *action* on *resource*; `None` when they may not perform it at all."""
        if self._permissions is None:
            return FULL_GRANT
        if resource is self._resource and self._action not in _BUILT_IN:
            # A user-defined action decides itself what it does to its entity: its own grant covers its writes.
            action = self._action
        if self._known is None:
            self._known = {}
        place = resource.name, action
        if place not in self._known:
            self._known[place] = self._permissions.grant(resource, action)
        return self._known[place]

    def read_grant(self, resource: Resource[object]) -> Grant:
        """Return the caller's grant for reading *resource*, through the call itself or beside what it asks for."""
        own = resource is self._resource and self._action
        return self.grant(resource, self._action if own else Operation.GET) or NO_GRANT

    def scope_repository(
        self, resource: Resource[Any], repository: Repository[E], action: str | None = None
    ) -> Repository[E]:
        """Return *repository* limited to the entities the caller may access, for *action* or for reading."""
        if self._permissions is None:
            return repository
        grant = self.read_grant(resource) if action is None else self.grant(resource, action) or NO_GRANT
        if isinstance(grant.rows, Everything):
            return repository
        return ScopedRepository(repository, grant.rows)

    def sees_all(self, resource: Resource[object]) -> bool:
        """Return whether the caller may see every entity of *resource*."""
        return self._permissions is None or isinstance(self.read_grant(resource).rows, Everything)

    def restrict_relations(self, specification: Specification) -> Specification:
        """Return *specification* with its relations restricted to entities the caller may see."""
        if self._permissions is None:
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
            case Everything() | Where():
                return specification
            case _:
                assert_never(specification)

    def check_query(self, resource: Resource[object], query: Query) -> Failure[Error] | None:
        """Return a `Forbidden` failure when *query* would disclose what the caller may not read; `None` otherwise."""
        if self._permissions is None:
            return None
        # An order or a comparison discloses values as surely as an answer does: a caller could search for them.
        for sort in query.order:
            if (denied := self._check_order(resource, sort)) is not None:
                return denied
        for owner, name in _compared_fields(resource, query.specification):
            if (denied := self.check_readable(owner, (name,))) is not None:
                return denied
        if query.fields is not None and (denied := self.check_readable(resource, query.fields)) is not None:
            return denied
        for include in query.includes:
            if (denied := self.check_query(include.relation.target, include.query)) is not None:
                return denied
        return None

    def check_readable(self, resource: Resource[object], names: Sequence[str]) -> Failure[Error] | None:
        """Return a `Forbidden` failure unless the caller may read all fields *names* of *resource*."""
        readable = None if self._permissions is None else self.read_grant(resource).readable
        if readable is None:
            return None
        for name in names:
            if name not in readable and name not in resource.key:
                return Failure(Forbidden(resource.name, str(self._action), name))
        return None

    def check_writable(
        self, resource: Resource[object], action: str, values: Mapping[str, Any]
    ) -> Failure[Error] | None:
        """Return a `Forbidden` failure unless the caller may perform *action* and set every field of *values*."""
        if self._permissions is None:
            return None
        grant = self.grant(resource, action)
        if grant is None:
            return Failure(Forbidden(resource.name, str(action)))
        writable = values.keys() if grant.writable is None else grant.writable
        for name in values:
            if name not in writable:
                return Failure(Forbidden(resource.name, str(action), name))
        return None

    def readable(self, resource: Resource[object]) -> tuple[str, ...]:
        """Return the fields of *resource* that the caller may read, in declared order."""
        allowed = None if self._permissions is None else self.read_grant(resource).readable
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
        if self._permissions is None:
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

    def _check_order(self, resource: Resource[object], sort: Sort) -> Failure[Error] | None:
        owner = resource
        for relation in sort.path:
            owner = relation.target
            # The position of a row would tell the value of a related entity that the caller may not see.
            if not self.sees_all(owner):
                return Failure(Forbidden(owner.name, str(Operation.LIST), sort.name))
        return self.check_readable(owner, (sort.field,))


def _compared_fields(
    resource: Resource[object], specification: Specification
) -> Iterator[tuple[Resource[object], str]]:
    """Yield the fields that *specification* compares, each with its resource."""
    match specification:
        case Where(name, _, _):
            yield resource, name
        case Related(relation, inner):
            related: Relation = relation
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
    policy: Policy | None, context: Context, action: str = "", resource: Resource[object] | None = None
) -> Access:
    """Return the permissions of the caller of *context*, awaiting *policy* where there is one."""
    if policy is None:
        return Access(context)
    return Access(context, await policy.permissions(context.principal, context.tenant), action, resource)
