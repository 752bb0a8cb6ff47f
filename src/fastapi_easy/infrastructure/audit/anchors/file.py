"""Checkpoints in a file to which lines are only ever added: on another disk, of another owner, or append-only."""

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.domain.audit.entry import Checkpoint
from fastapi_easy.domain.errors import Outcome, Unavailable


class FileAnchor:
    """Implements `AnchorSink`: a JSON object on each line, with the note in `note`.

    Lines without one are passed over, so that a log with checkpoints in it can be read as well.

    Args:
        path: The file; it is made, with its folder, by the first checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"file {path}"
        self._path = path

    async def anchor(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Add a line, and wait until it is on the disk."""
        return await self._attempt(lambda: self._add(checkpoint))

    async def notes(self, origin: str, /) -> Outcome[Sequence[str] | None]:
        """Return the notes of *origin*, the oldest first."""
        return await self._attempt(lambda: [each for each in self._notes() if _origin(each) == origin])

    async def origins(self) -> Outcome[Sequence[str] | None]:
        """Return the origins of all notes."""
        return await self._attempt(lambda: sorted({_origin(each) for each in self._notes()}))

    async def _attempt(self, act: Any) -> Outcome[Any]:
        try:
            return Success(await asyncio.to_thread(act))
        except OSError:
            return Failure(Unavailable(self.name))

    def _add(self, checkpoint: Checkpoint) -> None:
        line = json.dumps(
            {"stream": checkpoint.stream, "size": checkpoint.size, "note": checkpoint.note},
            ensure_ascii=False,
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()
        with self._path.open("ab+") as file:
            # A line that a crash has cut off is ended first.
            if file.tell() and not _ends_with_newline(file):
                _ = file.write(b"\n")
            _ = file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self._path.parent)

    def _notes(self) -> Iterator[str]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if (note := _note_in(line)) is not None:
                    yield note


def _note_in(line: str) -> str | None:
    try:
        members = json.loads(line)
    except ValueError:
        return None
    note = members.get("note") if isinstance(members, dict) else None
    return note if isinstance(note, str) else None


def _origin(note: str) -> str:
    return note.partition("\n")[0]


def _ends_with_newline(file: Any) -> bool:
    _ = file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
