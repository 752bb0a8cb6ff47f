"""Which stream of NATS keeps which subjects."""

from collections.abc import Sequence
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

_DUPLICATE_WINDOW: Final = 120.0
"""Seconds within which the server drops a message that was published before."""

_UPDATES: Final = 10
"""How often to try when other processes add subjects at the same time."""


class Streams:
    """Finds the stream of each subject, and adds those that are nowhere to the application's own stream.

    Args:
        jetstream: A client that is connected.

        name: The application's own stream; made when it is needed.

        retention: Seconds for which a stream that is made keeps messages.
    """

    def __init__(self, jetstream: JetStreamContext, name: str, retention: float) -> None:
        self._jetstream = jetstream
        self._name = name
        self._retention = retention
        self._known: dict[str, str] = {}

    async def find_mistake(self) -> str | None:
        """Return why the own stream, as somebody made it, would lose messages; `None` if it keeps them."""
        try:
            found = await self._jetstream.stream_info(self._name)
        except NotFoundError:
            return None
        if found.config.retention not in {None, RetentionPolicy.LIMITS}:
            return (
                f"the NATS stream {self._name!r} does not keep what nobody has subscribed to: make it with "
                "retention=limits, or name another one in events.stream"
            )
        return None

    async def name_of(self, subject: str, others: Sequence[str] = ()) -> str:
        """Return the name of the stream that keeps *subject*.

        Args:
            subject: If no stream does, the application's own will.

            others: Subjects to be added together with it.
        """
        known = self._known.get(subject)
        if known is None:
            known = await self._find(subject) or await self._add({subject, *others})
            self._known[subject] = known
        return known

    def forget(self, subject: str) -> None:
        """Look for the stream of *subject* again when it is asked for the next time."""
        _ = self._known.pop(subject, None)

    async def _find(self, subject: str) -> str | None:
        try:
            return await self._jetstream.find_stream_name_by_subject(subject)
        except NotFoundError:
            return None

    async def _add(self, subjects: set[str]) -> str:
        for _ in range(_UPDATES):
            missing = {each for each in subjects if await self._find(each) is None}
            if not missing:
                break
            # The server knows no "add": of two updates at once the second forgets the first, which then looks again.
            try:
                config = (await self._jetstream.stream_info(self._name)).config
            except NotFoundError:
                await self._make(missing)
            else:
                _ = await self._jetstream.update_stream(
                    config.evolve(subjects=sorted({*(config.subjects or ()), *missing}))
                )
        return self._name

    async def _make(self, subjects: set[str]) -> None:
        config = StreamConfig(
            name=self._name,
            subjects=sorted(subjects),
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=self._retention,
            duplicate_window=min(_DUPLICATE_WINDOW, self._retention),
        )
        try:
            _ = await self._jetstream.add_stream(config)
        except BadRequestError:
            # Another process has made it meanwhile, or this one may not: then the next look says so.
            _ = await self._jetstream.stream_info(self._name)
