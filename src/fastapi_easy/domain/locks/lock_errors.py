"""Why a lock was not acquired, or was lost. Raised, since entering a block cannot return a value."""

from fastapi_easy.domain.errors import Error, LockHeld, LockLost, TooManyLocks, Unavailable, UnavailableReason


class LockError(Exception):
    """A lock was not acquired, or was lost.

    Attributes:
        error: The same as a value, for whoever answers a call.
    """

    error: Error


class LockTimeout(LockError):
    """Another owner held the lock for the whole wait.

    Attributes:
        name: Of the lock.

        holder: The owner that has it; `None` when it became free for others who came first, or only the unit of work
            has not ended that its last holder guarded.

        waited: Seconds.

        error: `LockHeld`, or what a subclass makes of it.
    """

    def __init__(self, name: str, holder: str | None, waited: float, reason: str = "") -> None:
        self.name = name
        self.holder = holder
        self.waited = waited
        self.error = LockHeld(name)
        who = "other waiters are ahead, or the unit of work of its last holder goes on"
        if reason or holder is not None:
            who = reason or f"{holder} holds it"
        super().__init__(f"lock {name!r} could not be acquired within {waited:.2f} s: {who}")


class LockLimitReached(LockTimeout):
    """This process held as many session locks as it may, for the whole wait.

    Attributes:
        limit: How many those are.
    """

    def __init__(self, name: str, limit: int, waited: float) -> None:
        super().__init__(
            name,
            None,
            waited,
            f"this process holds {limit} session locks, which is the limit of one connection",
        )
        self.limit = limit
        self.error = TooManyLocks(name)


class LockDeadlock(LockError):
    """Waiting would be a deadlock: the holder waits, directly or through others, for this very task.

    Attributes:
        name: Of the lock.

        cycle: The names that are waited for, one by the holder of the next; the first is *name*.
    """

    def __init__(self, name: str, cycle: tuple[str, ...]) -> None:
        self.name = name
        self.cycle = cycle
        self.error = LockHeld(name)
        super().__init__(f"waiting for lock {name!r} is a deadlock: {' → '.join((*cycle, name))}")


class LeaseLost(LockError):
    """The lease ended while the work was being done. What the work writes from now on is not protected.

    Attributes:
        name: Of the lock.

        token: Of the lease that ended.

        reason: What is known about why.
    """

    def __init__(self, name: str, token: int, reason: str) -> None:
        self.name = name
        self.token = token
        self.reason = reason
        self.error = LockLost(name)
        super().__init__(f"the lease of {name!r} (token {token}) is lost: {reason}")


class LockUnavailable(LockError):
    """The store of the leases did not answer for all of the wait, or was not called; nothing is held.

    Args:
        name: Of the lock.

        cause: What the store came to.

    Attributes:
        dependency: Which store.
    """

    def __init__(self, name: str, cause: Unavailable) -> None:
        self.name = name
        self.dependency = cause.dependency
        self.error = cause
        super().__init__(f"lock {name!r} cannot be acquired: {cause.dependency} {_why(cause.reason)}")


def _why(reason: UnavailableReason) -> str:
    if reason is UnavailableReason.CIRCUIT_OPEN:
        return "is not called while its circuit breaker is open"
    return "is busy with other changes" if reason is UnavailableReason.TIMEOUT else "does not answer"


class LockMisuse(Exception):
    """The program uses locks in a way that cannot be right; a defect, never an answer to a caller."""
