"""What the audit trail says of a change."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.domain.audit.canonical import to_canonical_json, to_exact_json
from fastapi_easy.domain.changes.events import (
    DomainEvent,
    EntityCreated,
    EntityDeleted,
    EntityPurged,
    EntityRestored,
    EntityUpdated,
)
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.values.plain_json import to_plain_json

MAX_CHANGES: Final = 65_536
"""Bytes of what was changed that one entry holds at most."""

DIGEST: Final = "$sha256"
LENGTH: Final = "$length"
"""The names in what stands in place of a value that is too large: its digest, and how many bytes it has."""

_SHORT: Final = frozenset({type(None), bool, int, float})
_LONGEST_SHORT: Final = 30
"""Bytes of a value of one of these types at most."""

_ACTIONS: Final[Mapping[type[DomainEvent], str]] = {
    EntityCreated: Operation.CREATE,
    EntityUpdated: Operation.UPDATE,
    EntityDeleted: Operation.DELETE,
    EntityRestored: Operation.RESTORE,
    EntityPurged: Operation.PURGE,
}


def action_of(event: DomainEvent) -> str:
    """Return what the audit trail calls the change that *event* tells of."""
    return str(_ACTIONS.get(type(event), event.verb))


def changed_values(event: DomainEvent, fields: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the values of *fields* from before and after the change that *event* tells of, as plain JSON.

    Of an update, only those that differ.
    """
    match event:
        case EntityCreated(values=values) | EntityRestored(values=values):
            return {name: [None, to_plain_json(values[name])] for name in fields}
        case EntityUpdated(before=None):
            return {
                name: [None, to_plain_json(event.values[name])] for name in fields if name in event.changed
            }
        case EntityUpdated(before=before, values=values):
            # Nobody hands over other events of updates than those with the values from before.
            known: Mapping[str, Any] = before or {}
            pairs = ((name, to_plain_json(known.get(name)), to_plain_json(values[name])) for name in fields)
            return {name: [old, new] for name, old, new in pairs if old != new}
        case EntityDeleted(before=before) | EntityPurged(before=before) if before is not None:
            return {name: [to_plain_json(before[name]), None] for name in fields}
        case _:
            return {}


def capped(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *changes*, with digests in place of the largest values as long as there are more than `MAX_CHANGES` bytes.

    A digest tells whether a text that somebody has is the one that was there.
    """
    if _is_surely_small(changes):
        return changes
    exact: Any = to_exact_json(changes)
    excess = len(to_canonical_json(exact)) - MAX_CHANGES
    if excess <= 0:
        return changes
    shortened = {name: list(value) if isinstance(value, list) else [value] for name, value in exact.items()}
    places = [(name, place) for name, pair in shortened.items() for place in range(len(pair))]
    spelt = {(name, place): to_canonical_json(shortened[name][place]) for name, place in places}
    for name, place in sorted(places, key=lambda each: -len(spelt[each])):
        if excess <= 0:
            break
        data = spelt[name, place]
        digest = {DIGEST: hashlib.sha256(data).hexdigest(), LENGTH: len(data)}
        shortened[name][place] = digest
        excess -= len(data) - len(to_canonical_json(digest))
    return shortened


def _is_surely_small(changes: Mapping[str, Any]) -> bool:
    """Return whether nobody has to spell *changes* to see that they are few."""
    total = 0
    for name, value in changes.items():
        total += len(name)
        for each in value if type(value) is list else (value,):
            kind = type(each)
            if kind is str:
                total += len(each)
            elif kind in _SHORT:
                total += _LONGEST_SHORT
            else:
                return False
    # A character takes six bytes at most, as an escape.
    return 6 * total <= MAX_CHANGES
