"""What `relay`, and the commands below `events`, need from the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi_easy.application.events.outbox_operations import OutboxOperations
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.message import OutboxLag
from fastapi_easy.interfaces.cli.tasks import Target

OutboxQuestion: TypeAlias = Callable[[OutboxOperations], Awaitable[Outcome[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """What a relay has done.

    Attributes:
        published: Messages that the broker has confirmed.

        parked: Messages that it has parked.

        lags: What was left, by database, where it was asked; `None` when a database did not answer.
    """

    published: int
    parked: int
    lags: Mapping[str, OutboxLag] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTasks:
    """The functions behind `relay` and the commands below `events`. Each raises `CommandError`.

    Attributes:
        relay: Runs the relay of an application until a signal arrives, or, where it is told so, until nothing is left
            to do at once; announces that it runs.

        ask: Opens the outboxes of an application, asks a question, closes them, and returns the answer.
    """

    relay: Callable[[Target, bool, Callable[[], None]], Relayed]
    ask: Callable[[Target, OutboxQuestion], Outcome[Any]]


LoadEventTasks: TypeAlias = Callable[[], EventTasks]
"""Returns the functions; called when one of the commands is."""
