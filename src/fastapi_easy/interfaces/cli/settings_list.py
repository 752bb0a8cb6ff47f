"""The tree of settings → one line each, with where its value comes from and without its secrets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import SecretStr

from fastapi_easy.interfaces.cli.tasks import Setting

Tree: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, ...]

_MASK: Final = "***"
_ABSENT: Final = object()


def settings_of(
    values: Tree, read: Tree, *, environment: Mapping[str, str], file: Tree, prefix: str
) -> list[Setting]:
    """Every setting of *values*.

    Args:
        values: The settings of the application.

        read: The settings as they are read from environment and file; what differs was set in code.

        environment: Of the process.

        file: What `fastapi-easy.toml` holds.

        prefix: Of the environment's variables.
    """
    variables = {
        tuple(name.removeprefix(prefix).lower().split("__")): text
        for original, text in environment.items()
        if (name := original.upper()).startswith(prefix)
    }
    found = []
    for place, value in _leaves(values):
        if _at(read, place) != value:
            source = "code"
        elif _is_in_environment(variables, place):
            source = "environment"
        else:
            source = "default" if _at(file, place) is _ABSENT else "file"
        found.append(Setting(".".join(place), _shown(place, value), source))
    return found


def masked(url: str) -> str:
    """*url* without its password and the values of its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _MASK
    # A password that was not encoded may have ended the host anywhere.
    if "://" not in url or (parts.netloc and "@" in f"{parts.path}{parts.query}{parts.fragment}"):
        return _MASK
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{name}{colon}{_MASK if colon else ''}{at}{host}"
    query = f"?{_MASK}" if parts.query else ""
    # Not `urlunsplit`: it drops the slashes of an empty host, which `sqlite:///file` needs.
    return f"{parts.scheme}://{shown}{parts.path}{query}"


def _leaves(tree: Tree, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*place, name))
        elif not isinstance(value, Mapping):
            yield (*place, name), value


def _at(tree: Any, place: Place) -> Any:
    for name in place:
        if not isinstance(tree, Mapping) or name not in tree:
            return _ABSENT
        tree = tree[name]
    return tree


def _is_in_environment(variables: Mapping[Place, str], place: Place) -> bool:
    wanted = tuple(name.lower() for name in place)
    if wanted in variables:
        return True
    # A whole branch may be written as JSON.
    return any(
        _at(_json(variables[wanted[:length]]), place[length:]) is not _ABSENT
        for length in range(1, len(wanted))
        if wanted[:length] in variables
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _shown(place: Place, value: Any) -> str:
    if isinstance(value, SecretStr):
        return masked(value.get_secret_value()) if place[-1] == "url" else _MASK
    match value:
        case None:
            return "unset"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)
