"""Where checkpoints are anchored: outside the database of the audit trail."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.audit.entry import Checkpoint
from fastapi_easy.domain.errors import Outcome


@runtime_checkable
class AnchorSink(Protocol):
    """A place that whoever can write into the database cannot change.

    Attributes:
        name: For people: where it is, without secrets.
    """

    name: str

    async def anchor(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Add the note of *checkpoint*; adding it again does no harm.

        Fails with:
            Unavailable: It did not answer.
        """
        ...

    async def notes(self, origin: str, /) -> Outcome[Sequence[str] | None]:
        """Return the notes of *origin* in the order in which they were anchored; `None` where none can be read back.

        Args:
            origin: The first line of the notes: which trail, and which stream.

        Fails with:
            Unavailable: It did not answer.
        """
        ...

    async def origins(self) -> Outcome[Sequence[str] | None]:
        """Return the origins of all notes that were anchored; `None` where none can be read back.

        Fails with:
            Unavailable: It did not answer.
        """
        ...
