"""Why a lock was not had, or not kept. Raised, since entering a block cannot answer with a value."""

from fastapi_easy.domain.errors import Error, LockHeld, LockLost, Obstacle, Unavailable


class LockError(Exception):
    """A lock was not had, or not kept.

    Attributes:
        error: The same as a value, for whoever answers a call.
    """

    error: Error


class LockTimeout(LockError):
    """Somebody else has held it all the time.

    Attributes:
        name: Of the lock.

        holder: The owner that has it; `None` when it became free for others who came first.

        waited: Seconds.
    """

    def __init__(self, name: str, holder: str | None, waited: float) -> None:
        self.name = name
        self.holder = holder
        self.waited = waited
        self.error = LockHeld(name)
        who = "others come first" if holder is None else f"{holder} holds it"
        super().__init__(f"lock {name!r} was not to be had within {waited:.2f} s: {who}")


class LockDeadlock(LockError):
    """Waiting for it would never end: whoever holds it waits, in the end, for this very task.

    Attributes:
        name: Of the lock.

        cycle: The names that are waited for, one by the holder of the next; the first is *name*.
    """

    def __init__(self, name: str, cycle: tuple[str, ...]) -> None:
        self.name = name
        self.cycle = cycle
        self.error = LockHeld(name)
        super().__init__(f"waiting for lock {name!r} would never end: {' → '.join((*cycle, name))}")


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
    """The store of the leases does not answer, or was not asked since it has been silent; nothing is held.

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
        why = "is not asked at present" if cause.obstacle is Obstacle.BREAK else "does not answer"
        super().__init__(f"lock {name!r} cannot be asked for: {cause.dependency} {why}")


class LockMisuse(Exception):
    """The program uses locks in a way that cannot be right; a defect, never an answer to a caller."""
