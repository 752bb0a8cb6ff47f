"""Who watches calls: the log, metrics where the settings want them, and OpenTelemetry where it is configured."""

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Metrics, Observer, Tracer
from fastapi_easy.infrastructure.observation.composite import CompositeObserver
from fastapi_easy.infrastructure.observation.log import LogObserver
from fastapi_easy.settings import Settings

__all__ = ["open_metrics", "open_observer", "open_tracer"]


def open_observer(settings: Settings, metrics: Metrics | None) -> Observer:
    """Return the observer of every call: the log, and *metrics* if there are any."""
    log = LogObserver(settings.log.slow_call, settings.log.calls_per_second)
    return log if metrics is None else CompositeObserver((log, metrics))


def open_metrics(settings: Settings) -> Metrics | None:
    """Return the counter of calls for `/metrics`; `None` unless the settings want it.

    Raises:
        DeclarationError: The library it needs is not installed.
    """
    if not settings.http.metrics:
        return None
    try:
        from fastapi_easy.infrastructure.observation.prometheus import PrometheusMetrics
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [f'http.metrics needs {error.name}: pip install "fastapi_easy[metrics]", or set it to false']
        ) from None
    return PrometheusMetrics()


def open_tracer(settings: Settings) -> Tracer | None:
    """Return the recorder of spans; `None` where the settings do not want it, or OpenTelemetry is not configured."""
    if settings.telemetry == "off":
        return None
    from fastapi_easy.infrastructure.observation.open_telemetry import OpenTelemetryTracer, is_configured

    return OpenTelemetryTracer() if settings.telemetry == "on" or is_configured() else None
