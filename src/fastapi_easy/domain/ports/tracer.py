"""Tracing: what a request was made of, and how long each part took."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias, runtime_checkable

Attributes: TypeAlias = Mapping[str, str | int]
"""What is known about a span, by the names of OpenTelemetry's semantic conventions where they have one."""


class Span(Protocol):
    """One part of a request while it is being recorded."""

    def fail(self, kind: str, *, broken: bool) -> None:
        """Record that the work came to an error.

        Args:
            kind: Which one: a stable word with few values.

            broken: Something does not work as it should. Otherwise the work has refused what it was asked for.
        """
        ...


@runtime_checkable
class Tracer(Protocol):
    """Records spans, each as a part of the one around it."""

    def span(
        self, name: str, attributes: Attributes, *, is_client: bool = False
    ) -> AbstractContextManager[Span]:
        """Record a block of work. An exception that leaves the block is recorded as what it came to.

        Args:
            name: What the work is called; with few values.

            attributes: What is known about it.

            is_client: Another system does the work.
        """
        ...

    def resume(self, traceparent: str, /) -> AbstractContextManager[None]:
        """Make what is recorded in a block a part of the trace that another process has begun.

        Args:
            traceparent: Names it, in the form of W3C Trace Context. Any other text changes nothing.
        """
        ...
