"""The states of one entity, rebuilt from the audit trail and from what is stored now."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.history.lost_value import LostValue
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.resources.tenancy import read_tenant
from fastapi_easy.domain.values.plain_json import from_plain_json

State: TypeAlias = Mapping[str, Any]
"""The values of an entity at one moment, by field; those that nobody knows any more are missing."""

BEGINNINGS: Final = frozenset({Operation.CREATE.value, Operation.RESTORE.value})
ENDS: Final = frozenset({Operation.DELETE.value, Operation.PURGE.value})
CHANGES: Final = BEGINNINGS | ENDS | {Operation.UPDATE.value}
"""The actions of entries that tell of a change of the entity."""

_ERASED: Final = {"erased": True}
_DIGEST: Final = frozenset({"$sha256", "$length"})


@dataclass(frozen=True, slots=True)
class NumberedEntry:
    """An entry with its number in its stream."""

    number: int
    entry: AuditEntry

    @property
    def is_change(self) -> bool:
        """Whether it tells of a change of the entity that was made."""
        return self.entry.action in CHANGES and self.entry.outcome == "ok"


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry, and what the entity was around it.

    Attributes:
        told: The entry.

        before: The values before it; `None` where there was no entity.

        after: The values after it; `None` where there was none any more.
    """

    told: NumberedEntry
    before: State | None
    after: State | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened to one entity, and to earlier ones with its key.

    Attributes:
        moments: The oldest first.

        is_stored: Whether the entity is there now, as far as the caller may see.
    """

    moments: Sequence[Moment]
    is_stored: bool

    @property
    def last_change(self) -> Moment | None:
        """The latest change; `None` without any."""
        return next((each for each in reversed(self.moments) if each.told.is_change), None)

    @property
    def has_ended(self) -> bool:
        """Whether the entity was deleted, as far as the trail tells."""
        last = self.last_change
        return last is not None and last.told.entry.action in ENDS

    @property
    def is_lost(self) -> bool:
        """Whether it is not there now, though the trail does not tell of its end."""
        return not (self.is_stored or self.has_ended)

    @property
    def is_whole(self) -> bool:
        """Whether it begins where the entity did, so that there was none before."""
        first = next((each for each in self.moments if each.told.is_change), None)
        return first is not None and first.told.entry.action == Operation.CREATE

    def at(self, time: datetime.datetime) -> Moment | None:
        """Return the latest change, in the order of the trail, that happened at *time* or before; `None` for none.

        Clocks of several processes may differ; the order of the trail is that of the changes.
        """
        changes = (each for each in reversed(self.moments) if each.told.is_change)
        return next((each for each in changes if each.told.entry.occurred_at <= time), None)


def build_timeline(
    resource: Resource[Any],
    fields: Sequence[str],
    entries: Iterable[NumberedEntry],
    current: Mapping[str, Any] | None,
) -> Timeline:
    """Return the states of the entity that *entries* are about.

    Args:
        resource: Its resource.

        fields: The fields whose values are recorded.

        entries: All about it, those of each stream in their order.

        current: What was stored before *entries* were read, or `None` for nothing. It tells the values that no entry
            names: they have never changed.
    """
    builder = _Builder(resource, fields)
    return Timeline(builder.build(_in_order(entries), current), current is not None)


def _in_order(entries: Iterable[NumberedEntry]) -> list[NumberedEntry]:
    """Return *entries* of several streams by time; no clock changes the order within one stream."""
    latest: dict[str, datetime.datetime] = {}
    placed: list[tuple[datetime.datetime, str, int, NumberedEntry]] = []
    for each in sorted(entries, key=lambda each: (each.entry.stream, each.number)):
        stream, time = each.entry.stream, each.entry.occurred_at
        latest[stream] = max(time, latest.get(stream, time))
        placed.append((latest[stream], stream, each.number, each))
    return [each for *_, each in sorted(placed, key=lambda place: place[:3])]


class _Builder:
    """Goes from the latest state back to the first, undoing one entry after the other."""

    def __init__(self, resource: Resource[Any], fields: Sequence[str]) -> None:
        self._resource = resource
        self._fields = {name: resource.fields[name] for name in fields}
        self._personal = () if resource.audit is None else resource.audit.personal
        # Says nothing where it is recorded like any other field.
        self._tenant = None if resource.tenant in self._fields else resource.tenant

    def build(
        self, ordered: Sequence[NumberedEntry], current: Mapping[str, Any] | None
    ) -> tuple[Moment, ...]:
        known: State | None = self._latest(ordered, current)
        moments: list[Moment] = []
        for told in reversed(ordered):
            if not told.is_change:
                moments.append(Moment(told, known, known))
                continue
            moment = self._undo(told, known)
            moments.append(moment)
            known = moment.before
        return tuple(reversed(moments))

    def _latest(self, ordered: Sequence[NumberedEntry], current: Mapping[str, Any] | None) -> State | None:
        """Return the state after the last of *ordered*; `None` when the entity was deleted."""
        named: dict[str, Any] = {}
        is_there = True
        for told in ordered:
            if told.is_change:
                is_there = told.entry.action not in ENDS
                named = {} if told.entry.action in BEGINNINGS else named
                named |= self._side(told, 1)
        if not is_there:
            return None
        stored = {} if current is None else current
        names = (*self._resource.key, *self._fields, *(() if self._tenant is None else (self._tenant,)))
        return _with({name: stored[name] for name in names if name in stored}, named)

    def _undo(self, told: NumberedEntry, known: State | None) -> Moment:
        action = told.entry.action
        identity = self._identity(told)
        after = None
        if action not in ENDS:
            after = _with({**(known or {}), **identity}, self._side(told, 1))
        if action in BEGINNINGS:
            return Moment(told, None, after)
        # Of a deleted entity the entry tells everything: what was known belongs to a later one.
        before = identity if after is None else after
        return Moment(told, _with(before, self._side(told, 0)), after)

    def _identity(self, told: NumberedEntry) -> dict[str, Any]:
        """Return what *told* says beside its changes: the key, and whose entity it is."""
        entry, names = told.entry, self._resource.key
        parts = entry.key if len(names) > 1 and isinstance(entry.key, list) else [entry.key]
        said = {
            name: from_plain_json(self._resource.fields[name], part)
            for name, part in zip(names, parts, strict=False)
        }
        # The system may act for a tenant on entities of another one.
        if self._tenant is not None and entry.tenant is not None and not entry.by_system:
            said[self._tenant] = read_tenant(self._resource, entry.tenant)
        return said

    def _side(self, told: NumberedEntry, side: int) -> dict[str, Any]:
        """Return the values of one side of the changes of *told*: 0 before, 1 after."""
        return {
            name: read_recorded(self._fields[name], value[side], is_personal=name in self._personal)
            for name, value in told.entry.changes.items()
            if name in self._fields and isinstance(value, list) and len(value) == 2  # noqa: PLR2004 (before, after)
        }


def read_recorded(field: Field, plain: Any, *, is_personal: bool = False) -> Any:
    """Return the value of *field* that the trail holds as *plain*; a `LostValue` where it does not tell it."""
    if isinstance(plain, Mapping):
        if plain.keys() == _DIGEST or (plain == _ERASED and (is_personal or field.kind is not Kind.JSON)):
            return LostValue(plain)
        if field.kind is Kind.JSON:
            return plain
    return from_plain_json(field, plain)


def _with(known: State, values: State) -> State:
    """Return *known* with *values* in place of those of the same fields; what is lost is not known."""
    merged = {**known, **values}
    return {name: value for name, value in merged.items() if not isinstance(value, LostValue)}
