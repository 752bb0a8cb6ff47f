"""The databases whose messages webhooks are sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from returns.result import Failure

from fastapi_easy.domain.errors import Fault, Outcome
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.ports.webhook_store import WebhookStore
from fastapi_easy.domain.webhooks.patterns import find_unmatched, matches

_BATCH: Final = 1000
"""Messages that are given positions at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlace:
    """A database with an outbox, and the webhooks that are sent what is in it.

    Attributes:
        database: Its name.

        store: The webhooks.

        outbox: The messages.

        messages: The names that they can have.
    """

    database: str
    store: WebhookStore
    outbox: Outbox
    messages: frozenset[str]


def places_of(places: Sequence[WebhookPlace], patterns: Sequence[str]) -> Sequence[WebhookPlace]:
    """Return those of *places* with messages that *patterns* stand for; all of them without patterns."""
    return [
        place
        for place in places
        if not patterns or any(matches(pattern, name) for pattern in patterns for name in place.messages)
    ]


def find_event_faults(places: Sequence[WebhookPlace], patterns: Sequence[str]) -> Iterator[Fault]:
    """Find out why no webhook can be sent the messages that *patterns* stand for."""
    known = sorted({name for place in places for name in place.messages})
    if unknown := find_unmatched(patterns, known):
        named = ", ".join(map(repr, unknown))
        yield Fault(
            "/events",
            f"There is no {named}: use some of {', '.join(known)}, or <resource>.*",
            "webhook_events",
        )
        return
    chosen = places_of(places, patterns)
    if len(chosen) != 1:
        names = ", ".join(each.database for each in chosen)
        yield Fault(
            "/events",
            f"Must be of one database, not of {names}: add a webhook for each, with its events",
            "webhook_events",
        )


async def present_position(outbox: Outbox) -> Outcome[int]:
    """Return the position after everything that was committed so far."""
    while True:
        assigned = await outbox.assign_positions(_BATCH)
        if isinstance(assigned, Failure):
            return assigned
        if assigned.unwrap() < _BATCH:
            return await outbox.last_position()
