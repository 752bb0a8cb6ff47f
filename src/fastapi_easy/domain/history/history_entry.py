"""One line of an entity's history, as a caller may see it."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """Something that happened to an entity, or that somebody was refused.

    Attributes:
        stream: The chain of the audit trail that the entry belongs to.

        number: Its number in that chain; with *stream* what `fastapi-easy audit prove` takes.

        time: When it happened, aware, UTC.

        actor: The id of the principal; empty when anonymous, and where it was one of another tenant.

        by_system: It was done beyond what the actor may do.

        action: What was done: an operation, or the name of an event of the program's own.

        outcome: `ok`, or the code of the error with which it was refused.

        changes: The values before and after, of each field that the caller may read and that has changed; `None` on the
            side where there was no entity. A `LostValue` stands for one that was erased, or too large to be recorded.
    """

    stream: str
    number: int
    time: datetime.datetime
    actor: str = ""
    by_system: bool = False
    action: str
    outcome: str = "ok"
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
