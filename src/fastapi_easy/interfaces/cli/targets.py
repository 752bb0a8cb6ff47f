"""Load the object that `module:name` names."""

import difflib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

from starlette.types import ASGIApp

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.cli.loading.remedies import remedy_for
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

_ASGI_ARGUMENTS = 3


def load(target: Target) -> object:
    """Import and return the object that *target* names; its folder becomes the first entry of `sys.path`.

    Raises:
        CommandError: It is not written as `module:name`, its module cannot be imported, or has no such name.
    """
    module_name, colon, attributes = target.path.partition(":")
    if module_name.endswith(".py") or "/" in module_name:
        wanted = ".".join(Path(module_name.removesuffix(".py")).parts)
        raise CommandError(f"{target.path!r} names a file: write the module, {wanted}:{attributes or 'app'}")
    if not (module_name and colon and attributes):
        raise CommandError(f"{target.path!r} is not written as MODULE:NAME, like shop:app")
    folder = str(target.folder.resolve())
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
    found: object = _import(module_name, target)
    walked = module_name
    for name in attributes.split("."):
        if not hasattr(found, name):
            raise CommandError(f"{walked} has no {name!r}{_suggestion(found, name)}")
        found = getattr(found, name)
        walked = f"{walked}.{name}"
    return found


def load_app(target: Target) -> ASGIApp:
    """Return the ASGI app that *target* names, or that the function it names returns.

    Raises:
        CommandError: It is neither.
    """
    found = load(target)
    if _is_app(found):
        return found
    if inspect.isroutine(found):
        if any(each.default is each.empty for each in _required_parameters(found)):
            raise CommandError(f"{target.path} is a function that needs arguments: name one that needs none")
        with _ReadableErrors(f"{target.path} cannot be called", target.folder):
            found = found()
        if _is_app(found):
            return found
        raise CommandError(f"{target.path} returned {_describe_type(found)}, not a FastAPI app")
    raise CommandError(
        f"{target.path} is {_describe_type(found)}, not a FastAPI app or a function that returns one: "
        "an app of a container is made by `app = create_app(Shop())`"
    )


class _ReadableErrors:
    """A context manager that turns an exception of the user's code into a `CommandError`.

    Args:
        attempt: The beginning of the message, like `shop cannot be imported`.

        folder: The folder of the user's files.
    """

    def __init__(self, attempt: str, folder: Path) -> None:
        self._attempt = attempt
        self._folder = folder.resolve()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        # The user's module may raise anything; every exception becomes a message, except `SystemExit` and the like.
        if not isinstance(error, Exception):
            return
        if isinstance(error, DeclarationError):
            raise CommandError(str(error), mistakes=error.mistakes) from error
        said = str(error) or "no message"
        remedy = remedy_for(error)
        end = f": {remedy}" if remedy else ""
        raise CommandError(
            f"{self._attempt}: {type(error).__name__}: {said}{self._where(error)}{end}"
        ) from error

    def _where(self, error: Exception) -> str:
        """Return the last place in the user's own files."""
        if isinstance(error, SyntaxError):
            return ""  # says it already
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            path = Path(frame.filename)
            if path.is_relative_to(self._folder) and "site-packages" not in path.parts:
                return f" ({path.relative_to(self._folder)}, line {frame.lineno})"
        return ""


def _import(name: str, target: Target) -> ModuleType:
    if _is_missing(name):
        raise CommandError(
            f"there is no module {name!r} in {target.folder.resolve()}: "
            "run the command in the folder of your program, or name that with --app-dir"
        )
    with _ReadableErrors(f"{name} cannot be imported", target.folder):
        return importlib.import_module(name)


def _is_missing(name: str) -> bool:
    """Return whether the top-level package of *name* does not exist; importing finds out about the rest."""
    importlib.invalidate_caches()
    first = name.partition(".")[0]
    return first not in sys.modules and importlib.util.find_spec(first) is None


def _suggestion(found: object, name: str) -> str:
    near = difflib.get_close_matches(name, [each for each in dir(found) if not each.startswith("_")], n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def _is_app(found: object) -> TypeGuard[ASGIApp]:
    """Return whether *found* is an ASGI app: a callable of scope, receive and send that returns an awaitable."""
    if isinstance(found, type):
        return False
    call = found if inspect.iscoroutinefunction(found) else getattr(found, "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(call) and len(_required_parameters(call)) == _ASGI_ARGUMENTS


def _required_parameters(call: Callable[..., object]) -> list[inspect.Parameter]:
    variable = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return [each for each in inspect.signature(call).parameters.values() if each.kind not in variable]


def _describe_type(found: object) -> str:
    return f"the class {found.__name__}" if isinstance(found, type) else f"of type {type(found).__name__}"
