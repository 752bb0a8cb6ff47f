"""Rules that name what is limited, and whose calls are counted together."""

import enum
from dataclasses import dataclass

from fastapi_easy.domain.policies.permissions import are_covered, split_permission
from fastapi_easy.domain.rates.rate import Rate


class LimitedBy(enum.StrEnum):
    """Whose calls a rule counts together."""

    PRINCIPAL = "principal"
    """Those of one principal; those of anonymous callers by their address."""

    TENANT = "tenant"
    """Those of one tenant; those of callers without one as `principal` does."""

    ADDRESS = "address"
    """Those from one network address, whoever makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRule:
    """A limit.

    Attributes:
        rate: How often.

        by: Whose calls are counted together.

        permissions: What counts, like `books:create`, `*:read` or `*`.
    """

    rate: Rate
    by: LimitedBy
    permissions: frozenset[str]

    @property
    def name(self) -> str:
        """What distinguishes its counters from those of others."""
        counted = ",".join(sorted(self.permissions))
        return f"{self.by}:{self.rate.calls}/{self.rate.seconds}:{counted}"

    def covers(self, resource: str, action: str) -> bool:
        """Return whether *action* on *resource* counts."""
        return are_covered(self.permissions, resource, action)

    def find_mistakes(self, resources: dict[str, tuple[str, ...]]) -> list[str]:
        """Return a sentence for each permission that names no resource, or none of its actions.

        Args:
            resources: The actions of each resource, by its name.
        """
        return [
            f"limits.rules: {permission!r} counts nothing: write a permission like books:create, *:read or *"
            for permission in sorted(self.permissions)
            if not _is_known(permission, resources)
        ]


def _is_known(permission: str, resources: dict[str, tuple[str, ...]]) -> bool:
    parts = split_permission(permission)
    if parts is None:
        return False
    return any(
        are_covered({permission}, name, action) for name, actions in resources.items() for action in actions
    )
