"""The fields of users' actions, filled with plain values."""

import dataclasses
import datetime
import decimal
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

Arguments = Callable[[str, str], Mapping[str, object]]
"""Returns what the user says about the fields of an action, by resource and action."""

_PLAIN: Final[Mapping[Any, Any]] = {
    str: "text",
    int: 1,
    float: 1.5,
    bool: True,
    decimal.Decimal: "1",
    datetime.date: "2026-11-23",
    datetime.datetime: "2026-11-23T08:30:00Z",
    uuid.UUID: str(uuid.UUID(int=1)),
}


def action_values(action: type[Any]) -> dict[str, Any]:
    """Return JSON for those fields of *action* that have no default, as far as their types are plain ones."""
    hints = typing.get_type_hints(action)
    values = {}
    for field in dataclasses.fields(action):
        has_default = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        if field.init and not has_default:
            values[field.name] = _plain(hints.get(field.name))
    return values


def _plain(hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Annotated:
        return _plain(typing.get_args(hint)[0])
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return None if type(None) in typing.get_args(hint) else _plain(typing.get_args(hint)[0])
    if typing.get_origin(hint) in {list, tuple, set, frozenset}:
        return []
    return {} if typing.get_origin(hint) is dict else _PLAIN.get(hint)
