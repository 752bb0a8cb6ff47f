"""The step that turns lock errors raised by actions into error values."""

from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.step import Handler, Target
from fastapi_easy.domain.begun_commits import watched_commits
from fastapi_easy.domain.errors import Outcome, OutcomeUnknown
from fastapi_easy.domain.locks.lock_errors import LeaseLost, LockError
from fastapi_easy.domain.resources.options import Operation

_BUILT_IN: Final = frozenset(Operation)


def translate_lock_errors(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
    """Return `LockHeld`, `LockLost` or `Unavailable` when a user's action raises a `LockError`.

    A block that holds a lock cannot return an outcome, so it raises. Built-in use cases hold no locks. `LockLost` says
    that nothing was changed: where the action had begun to commit something by itself it is `OutcomeUnknown`.
    """
    if target.action in _BUILT_IN:
        return handler

    async def translated(command: object, context: Context, /) -> Outcome[Any]:
        with watched_commits() as begun:
            try:
                return await handler(command, context)
            except LeaseLost as lost:
                return Failure(OutcomeUnknown(begun[-1]) if begun else lost.error)
            except LockError as error:
                return Failure(error.error)

    return translated
