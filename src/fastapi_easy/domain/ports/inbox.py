"""The inbox: which messages a consumer has handled."""

from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork


@runtime_checkable
class Inbox(Protocol):
    """The messages that were handled, in the database of what handling them changes.

    Every method fails with `Unavailable` when the database does not answer.
    """

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Make the database ready; return why it cannot hold an inbox, each a sentence with the way to mend it."""
        ...

    async def accept_in(self, work: UnitOfWork, consumer: str, message_id: str, /) -> Outcome[bool]:
        """Note in the transaction of *work* that *consumer* handles *message_id*; return whether it is the first time.

        To be called before anything else is done in *work*. Where another transaction handles the same message at the
        moment, it waits for that to end. A rollback of *work* forgets it.
        """
        ...

    async def remove_older(self, seconds: float, limit: int, /) -> Outcome[int]:
        """Remove at most *limit* notes that are older than *seconds*; return their number."""
        ...
