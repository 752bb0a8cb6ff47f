"""Webhooks: where they may lead, and how messages are delivered."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from fastapi_easy.settings.section import Seconds, Section


class WebhookSettings(Section):
    """Webhooks, which are sent the events of resources that are declared with `events`.

    Attributes:
        enabled: Keep webhooks, and have the relay deliver to them.

        allow_http: They may lead to `http://` as well: for tests.

        ports: The ports they may lead to, besides 443, and 80 with *allow_http*.

        allowed_networks: Networks, like `10.1.0.0/16`, that they may lead to though they are not public.

        ca_file: Certificates, in PEM, of authorities that are trusted besides those of the system.

        connect_timeout: Seconds that it may take to connect.

        timeout: Seconds that one request may take, from the look-up of the name to the status of the answer.

        concurrency: Webhooks that one relay delivers to at the same time, for each database.

        max_attempts: After so many failures in a row a webhook is disabled; 150 take about three days.

        longest_retry: Seconds between two attempts at most.
    """

    enabled: bool = False
    allow_http: bool = False
    ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = ()
    allowed_networks: tuple[str, ...] = ()
    ca_file: Path | None = None
    connect_timeout: Seconds = 5.0
    timeout: Seconds = 15.0
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 20
    max_attempts: Annotated[int, Field(ge=1)] = 150
    longest_retry: Seconds = 3600.0

    @field_validator("allowed_networks")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            _ = ipaddress.ip_network(each)
        return given
