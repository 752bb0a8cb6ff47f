"""The port `PasswordHasher`: Argon2id, by `argon2-cffi`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from fastapi_easy.domain.values.passwords import PasswordHash

_LEAST_MEMORY: Final = 8
"""KiB for each thread of one hash (RFC 9106, 3.1)."""

_NOBODY: Final = "the password of nobody"


class Argon2PasswordHasher:
    """Implements `PasswordHasher` with Argon2id; by default the second recommended option of RFC 9106 (64 MiB).

    A hash takes tens of milliseconds of a processor without holding Python's lock. It is made in a thread, so that the
    event loop goes on; the number of threads bounds the memory and the processors that a flood of log-ins takes.

    Args:
        time_cost: Passes over the memory.

        memory_cost: Memory of one hash in KiB.

        parallelism: Threads of one hash.

        threads: Hashes that are made at the same time, at most; others wait.

    Raises:
        ValueError: The memory is too small for the threads of one hash.
    """

    def __init__(
        self, *, time_cost: int = 3, memory_cost: int = 65536, parallelism: int = 4, threads: int = 2
    ) -> None:
        if memory_cost < _LEAST_MEMORY * parallelism:
            raise ValueError(
                f"memory_cost is {memory_cost}: give each of {parallelism} threads {_LEAST_MEMORY} KiB"
            )
        self._hasher = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism
        )
        self._threads = threads
        self._decoy: str | None = None

    async def hash(self, password: str, /) -> PasswordHash:
        """Return a hash of *password*, in the PHC string format."""
        loop = asyncio.get_running_loop()
        return PasswordHash(await loop.run_in_executor(self._executor, self._hasher.hash, _encoded(password)))

    async def verify(self, stored: str | None, password: str, /) -> bool:
        """Return whether *stored* is a hash of *password*; takes as long when it is none."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._verify, stored, _encoded(password))

    def needs_rehash(self, stored: str, /) -> bool:
        """Return whether *stored* was made with other parameters than these."""
        try:
            return self._hasher.check_needs_rehash(stored)
        except InvalidHashError:
            return True

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="fastapi-easy-passwords")

    def _verify(self, stored: str | None, password: bytes) -> bool:
        if stored is not None:
            try:
                return self._hasher.verify(stored, password)
            except InvalidHashError:
                # Says so at once: an account without a hash must not be told from others by that.
                pass
            except VerificationError:
                return False
        if self._decoy is None:
            self._decoy = self._hasher.hash(_NOBODY)
        try:
            _ = self._hasher.verify(self._decoy, password)
        except VerificationError:
            return False
        return False


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
