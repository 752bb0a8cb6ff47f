"""Locks of one machine, as files locked with `flock`: the kernel releases them when their holder ends, however it ends.

A process that has a removed file open and one that opens the new file would both have a lock. Whoever has got one
therefore looks whether others would find the same file. So a file may be removed by who holds its lock; it is kept
unless told otherwise, for the numbers of fencing tokens.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import operator
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, LockInfo
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.infrastructure.locks.lock_files import close_lock_file, open_lock_file
from fastapi_easy.infrastructure.locks.polling import PollingLeases
from fastapi_easy.infrastructure.locks.tokens import next_token

P = ParamSpec("P")
T = TypeVar("T")

_MAX_RECORD_BYTES: Final = 4096
"""Bytes of a record at most."""

_ATTEMPTS: Final = 100
"""To open a file in a folder that others remove."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A lock that this process holds.

    Attributes:
        owner: Of the lock.

        token: Likewise.

        file: The descriptor that the kernel has locked.

        process: The process that has locked it; those that are forked from it hold nothing.
    """

    owner: str
    token: int
    file: int
    process: int


class FileLeaseStore(PollingLeases):
    """Implements `LeaseStore` with `flock`. Not for network file systems.

    Args:
        folder: The folder of the lock files; created when it is missing.

        keeps_files: Keep them, and with them the numbers of fencing tokens; else they are removed when they are
            released, and so is the folder once it is empty.
    """

    name = "locks in files"
    pool = None
    capabilities: frozenset[LockCapability] = frozenset({LockCapability.FENCING})

    def __init__(self, folder: Path, *, keeps_files: bool = True) -> None:
        super().__init__()
        self._folder = folder
        self._keeps_files = keeps_files
        self._held: dict[str, _Held] = {}

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* if it is free, or is its already."""
        held = self._find(name)
        if held is not None and held.owner == owner and _is_current_file(held.file, self._path(name)):
            return Success(Acquired(held.token))
        return await self._call_store(self._lock, name, owner)

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Return which of *leases* are still held, on the files that others would lock."""
        known = [self._knows(each) for each in leases]
        if not any(known):
            return Success(known)
        return await self._call_store(lambda: [self._holds(each) for each in leases])

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*; return whether *owner* had it."""
        held = self._find(name)
        if held is None or held.owner != owner:
            return Success(False)
        del self._held[name]
        return await self._call_store(self._release, name, held.file)

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """List the names that are held and begin with *prefix*, in their order."""
        return await self._call_store(self._list, prefix)

    async def answers(self) -> Outcome[None]:
        """Succeed: files answer as long as the machine runs."""
        return Success(None)

    async def check(self) -> Outcome[Sequence[str]]:
        """Return no problems: nothing about it breaks a promise."""
        return Success(())

    async def close(self) -> None:
        """Release everything that this store holds."""
        while self._held:
            name, held = self._held.popitem()
            if held.process == os.getpid():
                _ = self._release(name, held.file)

    def _find(self, name: str) -> _Held | None:
        held = self._held.get(name)
        return held if held is not None and held.process == os.getpid() else None

    def _knows(self, lease: Renewal) -> bool:
        held = self._find(lease.name)
        return held is not None and (held.owner, held.token) == (lease.owner, lease.token)

    def _holds(self, lease: Renewal) -> bool:
        held = self._find(lease.name)
        return held is not None and self._knows(lease) and _is_current_file(held.file, self._path(lease.name))

    def _lock(self, name: str, owner: str) -> Acquired | Busy:
        path = self._path(name)
        file = self._open(path)
        try:
            if not _try_lock(file) or not _is_current_file(file, path):
                holder = _read_record(file).get("owner")
                close_lock_file(file)
                return Busy(None if holder is None else str(holder))
            token = next_token(int(_read_record(file).get("token", 0)))
            _write_record(file, {"name": name, "owner": owner, "token": token, "since": time.time()})
        except BaseException:
            close_lock_file(file)
            raise
        self._held[name] = _Held(owner, token, file, os.getpid())
        return Acquired(token)

    def _open(self, path: Path) -> int:
        # Others may remove the empty folder, and make it again, between any two calls.
        for _ in range(0 if self._keeps_files else _ATTEMPTS):
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                return _opened(path)
        return _opened(path)

    def _release(self, name: str, file: int) -> bool:
        path = self._path(name)
        if self._keeps_files or not _is_current_file(file, path):
            return _unlock(file)
        try:
            # While it is locked: nobody else has a lock on what is removed.
            path.unlink()
        finally:
            close_lock_file(file)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        return True

    def _list(self, prefix: str) -> Sequence[LockInfo]:
        found: list[LockInfo] = []
        for path in self._folder.glob("*.lock"):
            file = open_lock_file(path, os.O_RDONLY)
            try:
                record = _read_record(file)
                if str(record.get("name", "")).startswith(prefix) and record.get("owner") is not None:
                    found.append(
                        LockInfo(
                            name=record["name"],
                            owner=record["owner"],
                            token=record["token"],
                            age=max(0.0, time.time() - record["since"]),
                            remaining=None,
                        )
                    )
                    if _try_lock(file):
                        _ = found.pop()  # its holder was killed, and has left its record behind
            finally:
                close_lock_file(file)
        return sorted(found, key=operator.attrgetter("name"))

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}.lock"

    async def _call_store(
        self, work: Callable[P, T], /, *arguments: P.args, **options: P.kwargs
    ) -> Outcome[T]:
        try:
            return Success(await asyncio.to_thread(work, *arguments, **options))
        except OSError:
            return Failure(Unavailable(self.name))


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_lock_file(path, os.O_RDWR | os.O_CREAT)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(file: int) -> bool:
    try:
        record = _read_record(file)
        with contextlib.suppress(OSError):
            _write_record(file, {**record, "owner": None})
    finally:
        close_lock_file(file)
    return True


def _is_current_file(file: int, path: Path) -> bool:
    """Return whether *file* is what others find at *path*."""
    try:
        found, ours = path.stat(), os.fstat(file)
    except OSError:
        return False
    # Somebody else may have removed the file, though we never do.
    return (found.st_ino, found.st_dev) == (ours.st_ino, ours.st_dev)


def _read_record(file: int) -> Mapping[str, Any]:
    """Read what the last holder has written; nothing when that was cut off."""
    try:
        found = json.loads(os.pread(file, _MAX_RECORD_BYTES, 0) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write_record(file: int, record: Mapping[str, object]) -> None:
    # Padded instead of truncated first: a reader sees the old record or the new one, and never an empty file.
    written = json.dumps(record).encode()
    _ = os.pwrite(file, written.ljust(os.fstat(file).st_size), 0)
    os.fsync(file)
