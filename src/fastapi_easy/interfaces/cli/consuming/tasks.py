"""What `consume` needs from the composition root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fastapi_easy.interfaces.cli.tasks import Target


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a process listens to.

    Attributes:
        topic: The topic.

        group: The group that shares its messages.
    """

    topic: str
    group: str


Announce: TypeAlias = Callable[[Sequence[Consumed]], None]

Consume: TypeAlias = Callable[[Target, Sequence[str], Announce], None]
"""Handles the messages of some groups of an application, of all when none is named, until a signal arrives.

Announces what it listens to once it does. Raises `CommandError`.
"""
