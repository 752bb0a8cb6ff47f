"""What is known of the sessions behind the connections of an engine, and what a transaction in one begins with."""

import logging
import weakref
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

_logger: Final = logging.getLogger("fastapi_easy.connections")

_FOUND: Final = (
    "a connection pooler stands before the database: each transaction is sent its settings, and no statement is kept "
    "prepared. If it gives each connection a session of its own, set pooler of the database to 'session'"
)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Sessions:
    """The sessions of one engine.

    Attributes:
        begin: Begins a transaction, with all that the session has to be told where nothing of it is kept.

        are_shared: Whether the next transaction of a connection may be in another session, that of others too.

        follows_primary: Whether the URL names several hosts and asks for the one that takes writes.
    """

    begin: str = "BEGIN"
    are_shared: bool = False
    follows_primary: bool = False

    def share(self, begin: str) -> None:
        """Have every transaction tell its session all that it needs, with *begin*, from now on."""
        self.begin = begin
        self.are_shared = True

    def find_pooler(self, begin: str) -> None:
        """As `share`, because a pooler was found; told in the log once."""
        if not self.are_shared:
            _logger.info(_FOUND)
        self.share(begin)


_KNOWN: Final[weakref.WeakKeyDictionary[Engine, Sessions]] = weakref.WeakKeyDictionary()


def register_sessions(engine: Engine, sessions: Sessions) -> None:
    """Remember *sessions* as those of *engine*."""
    _KNOWN[engine] = sessions


def sessions_of(engine: Engine) -> Sessions:
    """Return the sessions of *engine*; of an engine that was made elsewhere they count as its own."""
    return _KNOWN.setdefault(engine, Sessions())
