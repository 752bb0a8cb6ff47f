"""The end of a process that serves, which its connections are told of before they are closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class EndableConnection(Protocol):
    """A connection that can tell its client of the end."""

    def end_softly(self) -> None:
        """Say with the answer to what is being asked that there will be no other on this connection."""
        ...


@dataclass(slots=True, eq=False)
class Ending:
    """Whether a process is about to end.

    Attributes:
        has_begun: It is.

        connections: Those that are open, as the server keeps them; WebSockets are among them, which have a way of their
            own to end.
    """

    has_begun: bool = False
    connections: Iterable[object] = ()

    def begin(self) -> None:
        """Have every answer from now on say that its connection will be closed."""
        self.has_begun = True
        for each in tuple(self.connections):
            if isinstance(each, EndableConnection):
                each.end_softly()
