"""The settings as a flat list, with the source of each value and secrets masked."""

import json
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import SecretStr

from fastapi_easy.interfaces.cli.tasks import Setting

Tree: TypeAlias = Mapping[str, object]
SettingPath: TypeAlias = tuple[str, ...]

_MASK: Final = "***"
_ABSENT: Final = object()


def settings_of(
    values: Tree, read: Tree, *, environment: Mapping[str, str], file: Tree, prefix: str
) -> list[Setting]:
    """Return every setting in *values*.

    Args:
        values: The settings of the application.

        read: The settings as read from the environment and the file; a value that differs was set in code.

        environment: The environment variables of the process.

        file: The content of `fastapi-easy.toml`.

        prefix: The prefix of the environment variables.
    """
    variables = {
        tuple(name.removeprefix(prefix).lower().split("__")): text
        for original, text in environment.items()
        if (name := original.upper()).startswith(prefix)
    }
    found = []
    for path, value in _leaves(values):
        if _lookup(read, path) != value:
            source = "code"
        elif _is_in_environment(variables, path):
            source = "environment"
        else:
            source = "default" if _lookup(file, path) is _ABSENT else "file"
        found.append(Setting(".".join(path), _display(path, value), source))
    return found


def mask_url(url: str) -> str:
    """Return *url* with its password and its query masked."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _MASK
    # A password that is not percent-encoded may contain `/`, `?`, `#` or `@`: then parts of it are outside the netloc.
    if "://" not in url or (parts.netloc and "@" in f"{parts.path}{parts.query}{parts.fragment}"):
        return _MASK
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{name}{colon}{_MASK if colon else ''}{at}{host}"
    query = f"?{_MASK}" if parts.query else ""
    # Not `urlunsplit`: it drops the slashes of an empty host, which `sqlite:///file` needs.
    return f"{parts.scheme}://{shown}{parts.path}{query}"


def _leaves(tree: Tree, path: SettingPath = ()) -> Iterator[tuple[SettingPath, object]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, name))
        elif not isinstance(value, Mapping):
            yield (*path, name), value


def _lookup(tree: object, path: SettingPath) -> object:
    for name in path:
        if not isinstance(tree, Mapping) or name not in tree:
            return _ABSENT
        tree = tree[name]
    return tree


def _is_in_environment(variables: Mapping[SettingPath, str], path: SettingPath) -> bool:
    wanted = tuple(name.lower() for name in path)
    if wanted in variables:
        return True
    # One variable may hold a whole subtree as JSON.
    return any(
        _lookup(_json(variables[wanted[:length]]), path[length:]) is not _ABSENT
        for length in range(1, len(wanted))
        if wanted[:length] in variables
    )


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _display(path: SettingPath, value: object) -> str:
    if isinstance(value, SecretStr):
        return mask_url(value.get_secret_value()) if path[-1] == "url" else _MASK
    match value:
        case None:
            return "unset"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)
