"""Renewals of leases: what a store is asked for, and how they went so far."""

from dataclasses import dataclass
from typing import Final

MAX_RENEWALS: Final = 500
"""Leases that a store is asked to renew at once, at most."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One lease that is to be renewed.

    Attributes:
        name: The held name.

        owner: The owner that was granted it.

        token: Of the lease.

        ttl: Seconds for which it is to run from now on.
    """

    name: str
    owner: str
    token: int
    ttl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFigures:
    """How the leases of this process are renewed.

    Attributes:
        held: Leases that are held at this moment.

        renewed: Leases that were renewed so far.

        late_seconds: How long after the planned moments those answers came, together.

        lateness: By how many seconds the next renewals are asked for earlier, because the last ones were late.

        lost: Leases that were lost so far.
    """

    held: int
    renewed: int
    late_seconds: float
    lateness: float
    lost: int
