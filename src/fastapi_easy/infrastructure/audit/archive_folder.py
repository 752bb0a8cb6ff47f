"""The port `ArchiveStore`: a folder, which may be a mounted object store."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from pathlib import Path

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable


class ArchiveFolder:
    """Implements `ArchiveStore`: a file is written beside its place, flushed to the disk, and then renamed.

    Args:
        path: The folder; it is made by the first file.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"folder {path}"
        self._path = path

    async def write(self, name: str, chunks: AsyncIterable[bytes], /) -> Outcome[None]:
        """Write a file, all of it or none."""
        place = self._path / name
        unfinished = self._path / f".{name}.{secrets.token_hex(4)}"
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with unfinished.open("xb") as file:
                async for each in chunks:
                    _ = await asyncio.to_thread(file.write, each)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            _ = unfinished.replace(place)
            await asyncio.to_thread(_sync, self._path)
        except OSError:
            return Failure(Unavailable(self.name))
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return Success(None)

    async def names(self) -> Outcome[Sequence[str]]:
        """Return the names of all files that are finished, sorted."""
        try:
            found = await asyncio.to_thread(
                lambda: [each.name for each in self._path.iterdir() if each.is_file()]
            )
        except FileNotFoundError:
            return Success([])
        except OSError:
            return Failure(Unavailable(self.name))
        return Success(sorted(each for each in found if not each.startswith(".")))

    async def lines(self, name: str, /) -> AsyncIterator[bytes]:
        """Return the lines of a file."""
        with (self._path / name).open("rb") as file:
            while batch := await asyncio.to_thread(file.readlines, 1 << 20):
                for each in batch:
                    yield each.rstrip(b"\n")


def _sync(folder: Path) -> None:
    """Have the names in *folder* on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
