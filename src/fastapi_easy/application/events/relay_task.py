"""What a relay does again and again."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class RelayTask(Protocol):
    """One thing that a relay does again and again: publish messages, deliver webhooks, remove what has expired.

    Any number of relays may do the same at the same time.

    Attributes:
        name: For logs: `publishing default`.
    """

    name: str

    async def run_once(self) -> bool:
        """Do a bounded part of it; return whether there may be more to do at once.

        Nothing happens to the other tasks meanwhile. When a dependency does not answer, it says so in the log and
        returns `False`; what it raises is logged as a defect. A cancellation ends it soon, with nothing lost.
        """
        ...


@runtime_checkable
class FinishesEarly(Protocol):
    """A relay task whose runs can be cut short without losing anything."""

    def finish(self) -> None:
        """Begin nothing new, also in the run that is under way: the relay is about to stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTask:
    """A task of a relay, and how often it looks for something to do.

    Attributes:
        task: The task.

        interval: Seconds until it is run again after it found nothing to do, or was woken.

        longest_interval: Seconds up to which *interval* is doubled, for as long as it finds nothing.

        is_woken: A hint that something has changed lets it run at once.
    """

    task: RelayTask
    interval: float
    longest_interval: float
    is_woken: bool = True
