"""What a relay has done so far, for metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class RelayFigures:
    """What the relay of this process has done for one outbox since its start.

    Attributes:
        published: Messages that the broker has confirmed.

        failed: Attempts to publish that came to nothing, also those while the broker did not answer.

        parked: Messages that it has parked.

        removed: Messages that were removed, because they had been kept long enough.
    """

    published: int = 0
    failed: int = 0
    parked: int = 0
    removed: int = 0
