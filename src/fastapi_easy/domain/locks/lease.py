"""Leases: who may do something alone, for how long, and who waits for it."""

import enum
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

OnLost: TypeAlias = Literal["cancel", "event"]
"""What happens to the work when its lease is lost: it is cancelled, or only told."""


class LockCapability(enum.StrEnum):
    """One thing that not every lease store can do. The value is its name in documentation and settings."""

    FENCING = "fencing"
    """Tokens grow with every grant of a name, so that what they stamp can refuse older ones."""

    TTL = "ttl"
    """A lease runs out by itself, so that a holder who vanished keeps nobody waiting for ever."""

    FIFO = "fifo"
    """Who waits longest is next, also among processes."""

    DEADLOCK = "deadlock"
    """Who waits for whom is known, so that a circle is found."""

    CROSS_HOST = "cross_host"
    """Processes on several machines exclude one another."""

    DURABLE = "durable"
    """A lease outlives a restart of the store."""

    EVICTABLE = "evictable"
    """A lease can be taken from its holder by somebody else."""


EVERY_LOCK_CAPABILITY: Final = frozenset(LockCapability)


@dataclass(frozen=True, slots=True)
class Acquired:
    """A lease was acquired.

    Attributes:
        token: Larger than that of every earlier grant of the name.
    """

    token: int


@dataclass(frozen=True, slots=True)
class Busy:
    """A lease is held by another owner, or others wait for it first, or this process holds too many.

    Attributes:
        holder: The owner that has it; `None` when it is free, but other waiters are ahead.

        ahead: How many wait and come first.

        limit: How many locks the asking process may hold, when it holds so many already.
    """

    holder: str | None = None
    ahead: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class WaitEdge:
    """One owner waits for another.

    Attributes:
        name: What it waits for.

        ticket: Its place among all who wait; the later it came the larger.

        token: Of the lease it waits for.
    """

    name: str
    waiter: str
    holder: str
    ticket: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockInfo:
    """A name that is held, as an operator sees it.

    Attributes:
        owner: Host, process, task and acquisition.

        token: Of the lease.

        age: Seconds since it was granted.

        remaining: Seconds until it runs out unless it is renewed; `None` where leases do not run out.

        waiters: The owners that wait for it, the first one first.
    """

    name: str
    owner: str
    token: int
    age: float
    remaining: float | None
    waiters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """A lease was taken from its holder by an operator.

    Attributes:
        token: Of the lease that was taken.

        reason: As the operator gave it.
    """

    name: str
    token: int
    reason: str
