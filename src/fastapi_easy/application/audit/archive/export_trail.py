"""Export the entries of a trail, from where the last export stopped."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.audit.trail_source import TrailSource
from fastapi_easy.domain.audit.entry import SealedEntry
from fastapi_easy.domain.errors import Outcome


@dataclass(frozen=True, slots=True)
class TrailExport:
    """Reads a trail, a stream after the other, in batches.

    Attributes:
        source: The entries.

        batch: Entries that are read at once.
    """

    source: TrailSource
    batch: int = 1000

    async def read(
        self, after: Mapping[str, int], only: str | None = None
    ) -> AsyncIterator[Outcome[list[SealedEntry]]]:
        """Return batches of entries of one stream each, ascending; the last may be a failure.

        Args:
            after: The numbers of the last entries that are known already, by stream.

            only: The only stream to read; `None` for all.
        """
        heads = await self.source.heads()
        if isinstance(heads, Failure):
            yield heads
            return
        for head in heads.unwrap():
            if only not in {None, head.stream}:
                continue
            last = after.get(head.stream, 0)
            while last < head.seq:
                read = await self.source.read(head.stream, last, self.batch)
                if isinstance(read, Failure):
                    yield read
                    return
                entries = [each.sealed for each in read.unwrap()]
                if not entries:
                    break
                yield Success(entries)
                last = entries[-1].seq
