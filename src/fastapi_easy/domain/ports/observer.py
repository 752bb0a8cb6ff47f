"""Observers of calls, and metrics."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol, runtime_checkable

from fastapi_easy.domain.errors import Error
from fastapi_easy.domain.outbox.figures import OutboxFigures
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.retry import FailedAttempt
from fastapi_easy.domain.value_object import value_object


@value_object
class Observation:
    """The course of one call of a use case.

    Attributes:
        resource: The name of the resource.

        action: The operation or the action asked for.

        seconds: From call to answer.

        error: What it failed with; `None` for success.

        correlation_id: Of the call's context.
    """

    resource: str
    action: str
    seconds: float
    error: Error | None
    correlation_id: str


@runtime_checkable
class Observer(Protocol):
    """Is told about every call. Must be quick and must not raise."""

    def observe(self, observation: Observation) -> None:
        """Take note of *observation*."""
        ...


_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_NO_OUTBOXES: Final[Mapping[str, OutboxFigures]] = MappingProxyType({})
_NO_FAILURES: Final[Mapping[FailedAttempt, int]] = MappingProxyType({})


@runtime_checkable
class Metrics(Observer, Protocol):
    """An observer that counts, and reports what it has counted to whoever collects it."""

    @property
    def media_type(self) -> str:
        """The media type of the report."""
        ...

    def report(
        self,
        dependencies: Sequence[Dependency],
        breakers: Mapping[str, Breaker],
        retries: Mapping[str, int] = _NONE,
        outboxes: Mapping[str, OutboxFigures] = _NO_OUTBOXES,
        failures: Mapping[FailedAttempt, int] = _NO_FAILURES,
    ) -> bytes:
        """Return everything counted so far, and at this moment the connections of *dependencies* and their *breakers*.

        Args:
            dependencies: Those that have connections are told of.

            breakers: By the name of what they stand before.

            retries: How many repetitions there were, by dependency.

            outboxes: What waits to be published, by database; only passed where changes are published.

            failures: How many attempts have failed; only passed when there were some.
        """
        ...
