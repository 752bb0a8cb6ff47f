"""Where the oldest part of an audit trail is kept once it left the database."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome


@runtime_checkable
class ArchiveStore(Protocol):
    """Files, by name; what was written once is never changed.

    Attributes:
        name: For people: where it is, without secrets.
    """

    name: str

    async def write(self, name: str, chunks: AsyncIterable[bytes], /) -> Outcome[None]:
        """Write a file, all of it or none; one that is there already is replaced.

        Args:
            name: Of letters, digits, and the characters `.`, `_`, `-` and `%`.

            chunks: Its content.

        Fails with:
            Unavailable: It could not be written.
        """
        ...

    async def names(self) -> Outcome[Sequence[str]]:
        """Return the names of all files, sorted.

        Fails with:
            Unavailable: They could not be read.
        """
        ...

    def lines(self, name: str, /) -> AsyncIterator[bytes]:
        """Return the lines of a file, without their ends.

        Raises:
            OSError: It cannot be read.
        """
        ...
