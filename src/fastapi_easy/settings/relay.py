"""The settings of the relay, which publishes what outboxes hold."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fastapi_easy.settings.section import Seconds, Section


class RelaySettings(Section):
    """The relay. All times in seconds.

    Attributes:
        relay: `embedded`: each process that serves the application runs one; `off`: `fastapi-easy relay` does.

        poll_interval, idle_poll_interval: How long it waits before it looks for messages again: the first after it
            found some, or was told of some; doubled up to the second while there are none.

        batch: Messages that it claims at once, of as many entities.

        concurrency: Messages that it publishes at the same time.

        publish_timeout: How long the broker may take to confirm a message.

        lease: How long a claim lasts: after a crash, another relay takes over then. At least three times
            `publish_timeout`.

        max_attempts: After so many failures of its own a message is parked.

        first_retry, longest_retry: How long a message waits at most after its first failure, and after any: it
            doubles from one to the other, and the wait is random below that.

        relay_grace: How long messages that are being published may take when the relay is to stop.

        retention: How long messages are kept after they were published, for the change feed and webhooks.

        inbox_retention: How long consumers remember which messages they have handled; longer than a broker keeps any.

        archive: The folder to which messages go when they leave the outbox; unset, they are removed for good.
    """

    relay: Literal["embedded", "off"] = "off"
    poll_interval: Seconds = 0.2
    idle_poll_interval: Seconds = 1.0
    batch: Annotated[int, Field(ge=1, le=1000)] = 100
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 16
    publish_timeout: Seconds = 10.0
    lease: Seconds = 60.0
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 8
    first_retry: Seconds = 1.0
    longest_retry: Seconds = 300.0
    relay_grace: Seconds = 10.0
    retention: Seconds = 604_800.0
    inbox_retention: Seconds = 1_814_400.0
    archive: Path | None = None

    @model_validator(mode="after")
    def _claims_outlast_publishing(self) -> Self:
        if self.lease < 3 * self.publish_timeout:
            raise ValueError("lease must be at least three times publish_timeout")
        if self.idle_poll_interval < self.poll_interval:
            raise ValueError("idle_poll_interval must be at least poll_interval")
        return self
