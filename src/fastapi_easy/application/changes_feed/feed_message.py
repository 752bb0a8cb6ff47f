"""What a listener of a change feed is told."""

import datetime
import enum
import re
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key

_POSITION: Final = re.compile(r"[0-9a-f]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMessage:
    """One change of one entity, as one caller may see it.

    Attributes:
        position: Where the feed goes on after this message; opaque.

        verb: What happened: `created`, `updated`, `restored`, or `deleted`. An entity that a change takes out of the
            caller's sight, or out of the filter, is `deleted`.

        key: Which entity.

        occurred_at: Aware, UTC.

        values: The published fields that the caller may see, as they were after the change; `None` of `deleted`.

        version: The version of the entity, for `expected_version`, where it can be told from what is published.
    """

    position: str
    verb: str
    key: Key
    occurred_at: datetime.datetime
    values: Row | None = None
    version: str | None = None


class StreamEnd(enum.Enum):
    """Why a stream of changes has ended. After all but REFUSED and POSITION_EXPIRED it can be resumed."""

    SLOW = "slow"
    """More changes waited than the buffer holds."""

    CLOSED = "closed"
    """The process ends, or whoever listened has closed it."""

    LIFETIME = "lifetime"
    """It was open for as long as one may be."""

    REFUSED = "refused"
    """The caller may not listen any more: the credentials are not valid now, or permit less."""

    POSITION_EXPIRED = "position_expired"
    """Changes that it had not read yet are not there any more."""

    UNAVAILABLE = "unavailable"
    """The database did not answer."""


def write_position(number: int) -> str:
    """Return the text that stands for the position *number*."""
    return f"{number:x}"


def read_position(text: str) -> int | None:
    """Return the position that *text* stands for; `None` when it is no such text."""
    return int(text, 16) if _POSITION.fullmatch(text) else None
