"""The ports that every unit of work of one application uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPorts:
    """The ports that every write of one application uses, whatever interface it came through.

    Attributes:
        clock: When something happened.

        event_bus: Who wants to know, and who has a say.

        policy: What callers may do; everything when there is none.

        journal: What is written beside every change; nothing when there is none.

        resources: Every resource, by name.
    """

    clock: Clock
    event_bus: EventBus
    policy: Policy | None = None
    journal: Journal | None = None
    resources: Mapping[str, Resource[object]] = field(default_factory=dict)
