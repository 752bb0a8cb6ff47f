"""Messages that have left the outbox, in files of NDJSON with their checksums."""

import asyncio
import dataclasses
import errno
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.outbox.message import OutboxMessage

_logger = logging.getLogger(__name__)

CHECKSUMS: Final = "SHA256SUMS"
"""The file with a line for each other one; `sha256sum --check` reads it."""

_DIGITS: Final = 19
"""Of a position in the name of a file: as many as the largest has, so that names sort as positions do."""


class FileArchive:
    """Implements `OutboxArchive` in a folder: `default-….ndjson`, a message on each line, and `SHA256SUMS`.

    A file is there completely or not at all, and is on the disk before it is in `SHA256SUMS`. When two relays remove
    the same messages, or one ends in between, a message may be in two files: its id says so.

    Args:
        folder: Is created when it is missing, readable by its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, database: str, messages: Sequence[OutboxMessage], /) -> Outcome[None]:
        """Write *messages* to a file named after *database* and their first and last position."""
        try:
            await asyncio.to_thread(self._write, database, messages)
        except OSError as error:
            _logger.exception("the archive %s cannot be written", self._folder)
            return Failure(Unavailable(f"archive {errno.errorcode.get(error.errno or 0, '')}".strip()))
        return Success(None)

    def _write(self, database: str, messages: Sequence[OutboxMessage]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        first, last = (f"{each.position or 0:0{_DIGITS}d}" for each in (messages[0], messages[-1]))
        name = f"{database}-{first}-{last}.ndjson"
        content = b"".join(map(_line, messages))
        checksum = f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
        file = self._folder / name
        # Somebody who was killed may have written one of both.
        if not file.exists() or file.read_bytes() != content:
            self._replace(file, content)
        self._note(checksum)

    def _replace(self, file: Path, content: bytes) -> None:
        with tempfile.NamedTemporaryFile(prefix=f".{file.name}.", dir=self._folder, delete=False) as stream:
            written = Path(stream.name)
            try:
                _ = stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                _ = written.replace(file)
            except BaseException:
                written.unlink(missing_ok=True)
                raise
        _sync_folder(self._folder)

    def _note(self, checksum: bytes) -> None:
        sums = self._folder / CHECKSUMS
        if sums.exists() and checksum in sums.read_bytes():
            return
        # One write at the end of the file: several processes may do so.
        descriptor = os.open(sums, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            _ = os.write(descriptor, checksum)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _line(message: OutboxMessage) -> bytes:
    members = {field.name: getattr(message, field.name) for field in dataclasses.fields(message)}
    members |= {
        "id": str(message.id),
        "occurred_at": message.occurred_at.isoformat(),
        "changed": list(message.changed),
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, where folders can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
