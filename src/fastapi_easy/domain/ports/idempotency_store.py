"""Records of calls with an idempotency key: what each was, and what it was answered."""

import datetime
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCall:
    """A call with an idempotency key.

    Attributes:
        id: Identifies it among the calls of all callers: 64 hexadecimal digits, made from tenant, principal and key.

        key: The key, as the caller gave it.

        resource: The resource.

        action: The operation or user-defined action.

        fingerprint: Equal for equal calls: 64 hexadecimal digits.

        expires_at: When its record counts as absent.
    """

    id: str
    key: str
    resource: Resource[Any]
    action: str
    fingerprint: str
    expires_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The record of a call that was committed.

    Attributes:
        fingerprint: Of the call.

        answer: Its answer, as text.

        expires_at: When it counts as absent.
    """

    fingerprint: str
    answer: str
    expires_at: datetime.datetime


@runtime_checkable
class IdempotencyStore(Protocol):
    """The records in one database.

    The record of a call is claimed first of all in the transaction of the change, and completed last of all. The
    database lets nobody else claim it meanwhile, and forgets it with the change if that is not committed: no claim is
    left behind by a process that was killed.
    """

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Make the database ready to hold records; return why it cannot, each a sentence with the way to mend it.

        Fails with:
            Unavailable: It did not answer.
        """
        ...

    async def claim(self, work: Any, call: KeyedCall) -> Outcome[bool]:
        """Claim the record of *call* in the transaction of *work*, where nothing was done yet.

        Waits while another transaction holds it, no longer than for any lock.

        Args:
            work: A unit of work of this technology.

            call: The call.

        Returns:
            Whether it was claimed: `False` when there is a record already, expired or not.

        Fails with:
            InFlight: Another transaction holds it.

            Unsupported: The store has no transactions.

            Unavailable: It did not answer.
        """
        ...

    async def complete(self, work: Any, call: KeyedCall, answer: str) -> Outcome[None]:
        """Write *answer* into the record of *call*, which *work* has claimed.

        Fails with:
            Unavailable: The store did not answer.
        """
        ...

    async def find(self, call_id: str) -> Outcome[CallRecord | None]:
        """Return the committed record of the call with *call_id*, expired or not; `None` when there is none.

        Fails with:
            Unavailable: The store did not answer.
        """
        ...

    async def remove_expired(self, now: datetime.datetime, call_id: str | None = None) -> Outcome[int]:
        """Remove records that have expired at *now*, or only that of *call_id*; return how many there were.

        At most a few hundred at a time: with fewer than that none are left.

        Fails with:
            Unavailable: The store did not answer.
        """
        ...
