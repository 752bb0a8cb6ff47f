"""Defaults of columns that Python makes."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi_easy.infrastructure.relational.sqlalchemy_internals import given_callable


def context_free_default(made: Any) -> Callable[[], object] | None:
    """Return a function without arguments that makes the default; `None` for one that needs SQLAlchemy's context."""
    # SQLAlchemy wraps a function without arguments in one that takes and forgets the context, and keeps
    # the name of the first; so ask the one it was given.
    given = given_callable(made)
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


def _maker(made: Any) -> Callable[[], object]:
    arg: Any = made.arg

    # Wrapped, so that it can be seen whether it is `list`, or something that may have effects.
    @functools.wraps(arg, assigned=(), updated=())
    def make() -> object:
        return arg(None)

    return make
