"""The composition of steps around a handler."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.application.pipeline.validate import validate


def compose(steps: Sequence[Step], target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
    """Wrap *handler* so that the first of *steps* is the outermost.

    `validate` is always there: where *steps* do not name it, it comes last of all, next to the handler.
    """
    every = steps if validate in steps else (*steps, validate)
    for step in reversed(every):
        handler = step(target, handler)
    return handler
