"""Messages that were claimed together, and what became of each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from returns.result import Failure

from fastapi_easy.domain.errors import Invalid, Outcome
from fastapi_easy.domain.outbox.message import ClaimedMessage


@dataclass(frozen=True, slots=True)
class Done:
    """The broker has confirmed the message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker will never take the message.

    Attributes:
        reason: For people; never contains a secret.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The message was not confirmed this time.

    Attributes:
        reason: For people; never contains a secret.

        is_silence: Nothing was answered, so that the reason may be the broker as well as the message.
    """

    reason: str
    is_silence: bool


PublishingResult: TypeAlias = Done | Refused | Failed

_EVIDENCE: Final = 3
"""After so many silences, and no confirmation, nothing more of a batch is tried."""


class PublishingBatch:
    """Publishes *claims*, several at the same time, each of another entity.

    Nothing is begun after a third of the lease: what is published has to be marked while the claims still hold.

    Args:
        claims: The messages.

        publish: Publishes one of them. Has a limit of at most a third of the lease, and raises nothing.

        concurrency: How many at the same time.

        lease: Seconds that the claims last.
    """

    def __init__(
        self,
        claims: Sequence[ClaimedMessage],
        publish: Callable[[ClaimedMessage], Awaitable[PublishingResult]],
        *,
        concurrency: int,
        lease: float,
    ) -> None:
        self._claims = claims
        self._publish = publish
        self._concurrency = concurrency
        self._lease = lease
        self._results: dict[int, PublishingResult] = {}
        self._next = 0
        self._is_stopped = False
        self._silences = 0
        self._confirmed = False

    def stop(self) -> None:
        """Begin to publish none of the rest."""
        self._is_stopped = True

    async def run(self) -> None:
        """Publish until all were tried, or it is stopped, or it is clear that the broker does not answer."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._lease / 3
        workers = [
            loop.create_task(self._work(until)) for _ in range(min(self._concurrency, len(self._claims)))
        ]
        try:
            _ = await asyncio.wait(workers)
        except asyncio.CancelledError:
            self.stop()
            for each in workers:
                _ = each.cancel()
            _ = await asyncio.wait(workers)
            raise
        for each in workers:
            each.result()

    @property
    def results(self) -> Sequence[tuple[ClaimedMessage, PublishingResult]]:
        """What became of those that were tried to the end."""
        return [(self._claims[index], result) for index, result in sorted(self._results.items())]

    @property
    def is_broker_away(self) -> bool:
        """Whether the broker was silent, and has confirmed nothing."""
        return self._silences > 0 and not self._confirmed

    @property
    def untried(self) -> Sequence[ClaimedMessage]:
        """Those whose failure says nothing of them: never begun, cut short, or met by silence of the whole broker."""
        return [
            claim
            for index, claim in enumerate(self._claims)
            if (result := self._results.get(index)) is None
            or (isinstance(result, Failed) and self.is_given_back(result))
        ]

    def is_given_back(self, result: Failed) -> bool:
        """Return whether *result* is no failure of the message: the broker has been silent to all."""
        return result.is_silence and self.is_broker_away

    async def _work(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        enough = max(_EVIDENCE, self._concurrency)
        while not self._is_stopped and self._next < len(self._claims) and loop.time() < until:
            if self.is_broker_away and self._silences >= enough:
                return
            index = self._next
            self._next += 1
            result = await self._publish(self._claims[index])
            self._results[index] = result
            if isinstance(result, Done):
                self._confirmed = True
            elif isinstance(result, Failed) and result.is_silence:
                self._silences += 1


def result_of(published: Outcome[None], broker: str) -> PublishingResult:
    """Return what *published*, the answer of the broker of that name, means for the message."""
    if not isinstance(published, Failure):
        return Done()
    match published.failure():
        case Invalid(faults):
            return Refused("; ".join(each.message for each in faults) or f"{broker} refuses it")
        case error:
            return Failed(f"{broker} has not confirmed it: {error.code}", is_silence=True)
