"""The standard order of the steps."""

from collections.abc import Callable

from fastapi_easy.application.pipeline.observe import observe
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.observer import Observer


def standard_steps(observer: Callable[[], Observer], clock: Clock) -> tuple[Step, ...]:
    """The steps around every use case, the outermost first, each with the reason for its place."""
    return (
        observe(observer, clock),  # sees everything, also what later steps refuse
    )
