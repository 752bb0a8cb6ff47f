"""Defaults of columns that Python makes."""

import inspect
from collections.abc import Callable
from typing import Any


def without_context(made: Any) -> Callable[[], Any] | None:
    """A maker without arguments, or `None` for one that wants to see the statement."""
    # SQLAlchemy wraps a function without arguments in one that takes and forgets the context, and keeps
    # the name of the first; so ask the one it was given.
    given: Any = made._given_arg  # noqa: SLF001
    try:
        parameters = inspect.signature(given).parameters.values()
    except (TypeError, ValueError):
        # A built-in without a signature, like `dict`: SQLAlchemy calls those without arguments too.
        return _maker(made)
    takes_context = any(
        each.default is each.empty and each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}
        for each in parameters
    )
    return None if takes_context else _maker(made)


def _maker(made: Any) -> Callable[[], Any]:
    arg: Any = made.arg
    return lambda: arg(None)
