"""The step that makes an error of a lock that was not had, or not kept."""

from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Target
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lock_errors import LockError
from fastapi_easy.domain.resources.options import Operation

_BUILT_IN: Final = frozenset(Operation)


def word_locks(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
    """Answer `LockHeld`, `LockLost` or `Unavailable` when an action of the user's own raises a `LockError`.

    A block that holds a lock cannot answer with a value, so it raises. Built-in use cases hold none.
    """
    if target.action in _BUILT_IN:
        return handler

    async def worded(command: Any, context: Context, /) -> Outcome[Any]:
        try:
            return await handler(command, context)
        except LockError as error:
            return Failure(error.error)

    return worded
