"""The ports that every unit of work of one application uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.policy import Policy
from fastapi_easy.domain.ports.retry import Retry
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPorts:
    """The ports that every write of one application uses, whatever interface it came through.

    Attributes:
        clock: The clock that dates events.

        event_bus: The event bus, with its subscribers and before-change handlers.

        policy: The policy that grants permissions; `None` permits everything.

        journal: The journal that is written with every change, if there is one.

        resources: Every resource, by name.

        retry: Returns the retry policy, for the parts of a call that are durable one by one; `None` retries none.
    """

    clock: Clock
    event_bus: EventBus
    policy: Policy | None = None
    journal: Journal | None = None
    resources: Mapping[str, Resource[object]] = field(default_factory=dict)
    retry: Callable[[], Retry] | None = None
