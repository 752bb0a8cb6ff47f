"""The keys of an issuer that publishes them: cached, renewed beside the calls, kept while it is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.infrastructure.authentication.jwt.fetching import KeysNotFetched
from fastapi_easy.infrastructure.authentication.jwt.key_set import Candidates
from fastapi_easy.infrastructure.authentication.jwt.options import RemoteKeys
from fastapi_easy.infrastructure.authentication.jwt.verification_keys import VerificationKey, read_key_set

_logger: Final = logging.getLogger("fastapi_easy.authentication")


class RemoteKeySet:
    """Implements `KeySet` with keys that are fetched.

    All who need keys at the same time wait for one fetch, which goes on when they do not. Between two fetches lie
    `interval` seconds, so that neither made-up key ids nor an outage cause more of them.

    Args:
        name: The issuer, for the log.

        options: How long keys are used, and how often they are fetched.

        algorithms: Those that keys are needed for.

        fetch: Fetches the key set; raises `KeysNotFetched`.

        now: Returns seconds since some fixed moment.
    """

    def __init__(
        self,
        name: str,
        options: RemoteKeys,
        algorithms: frozenset[str],
        fetch: Callable[[], Awaitable[Any]],
        now: Callable[[], float],
    ) -> None:
        self.generation = 0
        self._name = name
        self._options = options
        self._algorithms = algorithms
        self._fetch = fetch
        self._now = now
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched_at = 0.0
        self._next_fetch = float("-inf")
        self._has_failed = False
        self._task: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str, /) -> Outcome[Candidates]:
        """Return the keys that may have signed a token, fetching them where there is no such key."""
        age = self._now() - self._fetched_at
        if self._keys and age >= self._options.stale_for:
            self._replace(())
        if not self._keys:
            await self._renew()
        elif age >= self._options.ttl:
            _ = self._begin()
        if not self._keys:
            return self._unavailable()
        if key_id is not None and not self._has(key_id):
            await self._renew()
            if self._has_failed and not self._has(key_id):
                # The issuer may have begun to sign with a new key: that cannot be known now.
                return self._unavailable()
        fitting = [each for each in self._keys if algorithm in each.algorithms]
        if key_id is not None:
            return Success(tuple(each for each in fitting if each.id == key_id)[:1])
        # A token may leave out which key it is signed with where there is no choice (RFC 7515 D).
        return Success(tuple(fitting) if len(fitting) == 1 else ())

    async def aclose(self) -> None:
        """End a fetch that is under way."""
        task, self._task = self._task, None
        if task is not None:
            _ = task.cancel()
            _ = await asyncio.wait([task])

    async def _renew(self) -> None:
        task = self._begin()
        if task is not None:
            # Not awaited itself: a caller who gives up does not end it for the others.
            _ = await asyncio.wait([task])

    def _begin(self) -> asyncio.Task[None] | None:
        """Return the fetch that is under way, or begins now; `None` while it is too early for another one."""
        if self._task is None and self._now() >= self._next_fetch:
            self._task = asyncio.create_task(self._fetch_keys())
        return self._task

    async def _fetch_keys(self) -> None:
        try:
            fetched = read_key_set(await self._fetch(), self._algorithms)
        except (KeysNotFetched, ValueError) as error:
            self._has_failed = True
            _logger.warning("the keys of %s could not be fetched: %s", self._name, error)
        else:
            self._has_failed = False
            self._fetched_at = self._now()
            self._replace(fetched)
        finally:
            self._next_fetch = self._now() + self._options.interval
            self._task = None

    def _replace(self, keys: tuple[VerificationKey, ...]) -> None:
        if [each.id for each in keys] != [each.id for each in self._keys]:
            _logger.info(
                "the keys of %s are %s", self._name, ", ".join(str(each.id) for each in keys) or "unknown"
            )
        # Even where the ids are the same, the keys may be others.
        self.generation += 1
        self._keys = keys

    def _has(self, key_id: str) -> bool:
        return any(each.id == key_id for each in self._keys)

    def _unavailable(self) -> Outcome[Candidates]:
        return Failure(Unavailable(self._name, max(1.0, self._next_fetch - self._now())))
