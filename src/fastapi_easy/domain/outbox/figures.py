"""An outbox in numbers, for metrics."""

from dataclasses import dataclass

from fastapi_easy.domain.outbox.message import OutboxLag


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFigures:
    """One outbox at this moment, and what the relay of this process has done for it since its start.

    Attributes:
        lag: What has not been published yet; `None` when its database does not answer.

        published: Messages that the broker has confirmed.

        failed: Attempts to publish that came to nothing, also those while the broker did not answer.

        removed: Messages that were removed, because they had been kept long enough.
    """

    lag: OutboxLag | None
    published: int = 0
    failed: int = 0
    removed: int = 0
