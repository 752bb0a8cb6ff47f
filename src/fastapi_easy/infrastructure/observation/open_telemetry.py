"""Traces through the API of OpenTelemetry, for whichever SDK is configured."""

import contextlib
import os
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from opentelemetry import context, trace
from opentelemetry.trace import ProxyTracerProvider, SpanKind, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from fastapi_easy.domain.ports.tracer import Attributes, Span

_NAME: Final = "fastapi_easy"
_ERROR_TYPE: Final = "error.type"
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def is_configured() -> bool:
    """Return whether a tracer provider is configured, or FastAPI will configure one at start."""
    by_fastapi = os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true"
    return by_fastapi or not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


def current_traceparent() -> str:
    """Return the W3C `traceparent` of the current span; empty when there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class OpenTelemetryTracer:
    """Implements `Tracer`.

    Args:
        provider: Receives the spans; the global one unless given, even if that is configured later.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer(_NAME, version(_NAME), provider)

    @contextlib.contextmanager
    def span(self, name: str, attributes: Attributes, *, is_client: bool = False) -> Iterator[Span]:
        """Record a block of work."""
        kind = SpanKind.CLIENT if is_client else SpanKind.INTERNAL
        # The SDK shall not record exceptions: `fail` does below, by their type alone.
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as otel_span:
            span = _OpenTelemetrySpan(otel_span)
            try:
                yield span
            except Exception as error:
                error_type = type(error)
                span.fail(f"{error_type.__module__}.{error_type.__qualname__}", broken=True)
                raise

    @contextlib.contextmanager
    def resume(self, traceparent: str, /) -> Iterator[None]:
        """Make what is recorded in a block a part of the trace that *traceparent* names."""
        remote = _PROPAGATOR.extract({"traceparent": traceparent})
        token = context.attach(remote)
        try:
            yield
        finally:
            context.detach(token)


class _OpenTelemetrySpan:
    """Implements `Span`."""

    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def fail(self, kind: str, *, broken: bool) -> None:
        """Record that the work came to an error."""
        self._span.set_attribute(_ERROR_TYPE, kind)
        if broken:
            self._span.set_status(StatusCode.ERROR)
