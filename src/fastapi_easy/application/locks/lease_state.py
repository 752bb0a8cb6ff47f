"""The state of a held lease, as this process knows it."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.locks.lock_errors import LeaseLost
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lease_store import LeaseStore

SAFETY_MARGIN: Final = 0.1
"""Part of the `ttl` by which a lease counts as lost earlier than in the store: clocks run at different rates."""

HEARTBEAT: Final = 3.0
"""Seconds at most between two checks of a lock that does not expire, but is lost with its connection."""

_RENEWALS_PER_TTL: Final = 3
"""Renewals in the time of a lease."""

_EXPIRED: Final = "it expired without a renewal: the process was suspended, or its event loop was blocked"


class LeaseState:
    """The state of a lease: its names, its tokens, its expiry, and whether it is lost.

    Args:
        store: The store that holds the lease.

        clock: The clock of this process; never compared with that of the store.

        owner: The id of the owner.

        ttl: Seconds that the lease lasts without a renewal.

        call_site: The line of the program that asked for it.

        names: The held names, in order.

    Attributes:
        on_loss: Called once when the lease is lost.

        renewed_at: When the request was made that acquired or last renewed the lease.

        ends_at: When the lease ends however often it is renewed: the limit of `max_hold`.
    """

    __slots__ = (
        "_max_hold",
        "call_site",
        "clock",
        "ends_at",
        "is_ended",
        "lost",
        "names",
        "on_loss",
        "owner",
        "reason",
        "renewed_at",
        "store",
        "tokens",
        "ttl",
    )

    def __init__(
        self, store: LeaseStore, clock: Clock, owner: str, ttl: float, call_site: str, names: tuple[str, ...]
    ) -> None:
        self.store = store
        self.clock = clock
        self.owner = owner
        self.names = names
        self.ttl = ttl
        self.call_site = call_site
        self.tokens: dict[str, int] = {}
        self.lost = asyncio.Event()
        self.reason = ""
        self.is_ended = False
        self.on_loss: Callable[[], None] | None = None
        self.renewed_at = -math.inf
        self.ends_at = math.inf
        self._max_hold: float | None = None

    @property
    def expires(self) -> bool:
        """Whether the lease expires unless it is renewed."""
        return LockCapability.TTL in self.store.capabilities

    @property
    def period(self) -> float:
        """Seconds between two renewals."""
        period = self.ttl / _RENEWALS_PER_TTL
        return period if self.expires else min(period, HEARTBEAT)

    @property
    def until(self) -> float:
        """The moment until which the lease is certainly held."""
        if not self.expires:
            return self.ends_at
        return min(self.renewed_at + self.ttl * (1 - SAFETY_MARGIN), self.ends_at)

    @property
    def remaining(self) -> float:
        """Seconds for which the lease is certainly held; 0 once lost or released."""
        if self.is_ended or self.lost.is_set():
            return 0.0
        return max(0.0, self.until - self.clock.monotonic())

    @property
    def overdue(self) -> float:
        """Seconds since the lease expired on this side."""
        return max(0.0, self.clock.monotonic() - self.until)

    @property
    def limit_reason(self) -> str:
        """The sentence about a lease that has reached its limit."""
        return f"it was held for longer than max_hold, which is {self._max_hold} s"

    def end_after(self, max_hold: float | None) -> None:
        """End the lease *max_hold* seconds from now, however often it is renewed; `None` for no limit."""
        self._max_hold = max_hold
        self.ends_at = math.inf if max_hold is None else self.clock.monotonic() + max_hold

    def ttl_at(self, moment: float) -> float:
        """Return the seconds to ask the store for at *moment*: no more than are needed to reach the limit."""
        return min(self.ttl, max(0.0, self.ends_at - moment) / (1 - SAFETY_MARGIN))

    def owner_of(self, name: str) -> str:
        """Return the owner id that holds *name*: one for each name, since a store grants an owner one name only."""
        return f"{self.owner}.{self.names.index(name)}"

    def mark_acquired(self, name: str, token: int, requested_at: float) -> None:
        """Note that *name*, requested at *requested_at*, is held. Of several names, the first to expire counts."""
        self.renewed_at = min(self.renewed_at, requested_at) if self.tokens else requested_at
        self.tokens[name] = token

    def extend(self, requested_at: float) -> None:
        """Note that every name was renewed by requests made at *requested_at* or later."""
        # `max`: answers may arrive out of order, and a late one must not shorten the lease.
        self.renewed_at = max(self.renewed_at, requested_at)

    def mark_expired(self) -> None:
        """Mark the lease as lost because its time is over."""
        self.mark_lost(self.limit_reason if self.until >= self.ends_at else _EXPIRED)

    def mark_lost(self, reason: str) -> None:
        """Mark the lease as lost for good; without effect once it is lost or released."""
        if self.is_ended or self.lost.is_set():
            return
        self.reason = reason
        self.lost.set()
        if self.on_loss is not None:
            self.on_loss()

    def lost_error(self) -> LeaseLost:
        """Return the error to raise about the loss."""
        return LeaseLost(self.names[0], self.token, self.reason or "it was released")

    @property
    def token(self) -> int:
        """The largest of the fencing tokens: for the same names, larger than that of every earlier lease."""
        return max(self.tokens.values())
