"""Who may do what: a matrix of resources and actions by kinds of callers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.application.policies.explain_access import decisive_action, sets_fields, writable_fields
from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.policies.placeholders import principal
from fastapi_easy.domain.policies.verdict import DescribedPolicy, outline_of, unlisted_in
from fastapi_easy.domain.policies.wording import describe_rows
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.principal import ANONYMOUS, Principal
from fastapi_easy.domain.queries.specification import Everything, Where, all_of
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource

ANONYMOUS_COLUMN: Final = "anonymous"
AUTHENTICATED_COLUMN: Final = "authenticated"

_SHOW_NOTHING: Final = frozenset({Operation.DELETE, Operation.PURGE})

_SOMEBODY: Final = "somebody"
"""The id of callers who stand for all of their kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """What one kind of caller may do by one action.

    Attributes:
        rows: The entities, in words; `None` means every one.

        readable: The fields that are shown; `None` means all.

        writable: The fields that may be set; `None` means all.
    """

    rows: str | None = None
    readable: tuple[str, ...] | None = None
    writable: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """Return `yes`, or what is limited."""
        limited = ["rows"] if self.rows is not None else []
        if self.readable is not None or self.writable is not None:
            limited.append("fields")
        return " and ".join(limited) or "yes"


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One action of one resource.

    Attributes:
        resource, action: Their names.

        cells: By the kind of caller, in the order of the columns; `None` for those who may not.
    """

    resource: str
    action: str
    cells: Mapping[str, MatrixCell | None]


@dataclass(frozen=True, slots=True)
class PolicyMatrix:
    """Who may do what.

    Attributes:
        columns: The kinds of callers: `anonymous`, `authenticated`, and each role that a rule names.

        rows: Every action of every resource that is on offer.

        unlisted: The names of policies that cannot be listed, so that there may be roles beside those of *columns*.
    """

    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    unlisted: tuple[str, ...] = ()

    def public(self) -> dict[str, list[str]]:
        """Return the actions that anonymous callers may perform, by resource; resources without any are left out."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if row.cells[ANONYMOUS_COLUMN] is not None:
                found.setdefault(row.resource, []).append(row.action)
        return found

    def unreachable(self) -> list[str]:
        """Return the resources with which nobody may do anything; none where a policy cannot be listed."""
        if self.unlisted:
            return []
        reachable = {row.resource for row in self.rows if any(row.cells.values())}
        return list(dict.fromkeys(row.resource for row in self.rows if row.resource not in reachable))


async def make_policy_matrix(policy: Policy | None, resources: Iterable[Resource[Any]]) -> PolicyMatrix:
    """Return who may do what with *resources*.

    Args:
        policy: That of the application; without one everybody may do everything.

        resources: In the order of the matrix.
    """
    roles = policy.roles if isinstance(policy, DescribedPolicy) else frozenset[str]()
    callers = {ANONYMOUS_COLUMN: ANONYMOUS, AUTHENTICATED_COLUMN: Principal(id=_SOMEBODY)}
    callers |= {
        role: Principal(id=_SOMEBODY, roles=frozenset({role})) for role in sorted(roles - callers.keys())
    }
    permissions = {
        name: None if policy is None else await outline_of(policy, caller, None)
        for name, caller in callers.items()
    }
    rows = tuple(
        MatrixRow(each.name, action, {name: _cell(of, each, action) for name, of in permissions.items()})
        for each in resources
        for action in offered_actions(each)
    )
    return PolicyMatrix(tuple(callers), rows, () if policy is None else unlisted_in(policy))


def offered_actions(resource: Resource[Any]) -> Sequence[str]:
    """Return the operations that *resource* offers, in their order, and the actions of the user's own."""
    built_in = [each.value for each in Operation if each in resource.operations]
    return [*built_in, *(resource.actions or {})]


def _cell(permissions: Permissions | None, resource: Resource[Any], action: str) -> MatrixCell | None:
    decisive = decisive_action(permissions, resource, action)
    grant = Grant() if permissions is None else permissions.grant(resource, decisive)
    if grant is None:
        return None
    rows = grant.rows
    if resource.tenant is not None:
        rows = all_of(Where(resource.tenant) == principal.tenant, rows)
    return MatrixCell(
        rows=None if isinstance(rows, Everything) else describe_rows(rows),
        readable=None
        if grant.readable is None or action in _SHOW_NOTHING
        else tuple(name for name in resource.readable if name in grant.readable or name in resource.key),
        writable=None
        if grant.writable is None or not sets_fields(action)
        else writable_fields(resource, action, grant),
    )
