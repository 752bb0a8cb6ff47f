"""Tables in the process, and layers over them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import is_satisfied_by

Identity: TypeAlias = tuple[Any, ...]
"""The values of the key fields, also when there is only one."""

Values: TypeAlias = dict[str, Any]
"""A stored row. Never changed in place: a write puts another one there."""

Rule: TypeAlias = tuple[str, ...]
"""Fields whose values, taken together, must differ between rows."""


class Rows(Protocol):
    """The rows of one resource as somebody sees them."""

    @property
    def table(self) -> "Table":
        """Where they end up."""
        ...

    def get(self, identity: Identity) -> Values | None:
        """The row at *identity*."""
        ...

    def rows(self) -> Iterator[Values]:
        """All of them, in no particular order."""
        ...

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Whose *values* these are under *rule*."""
        ...


class Table:
    """The committed rows of one resource."""

    __slots__ = ("_owners", "_rows", "counter", "resource", "rules")

    def __init__(self, resource: Resource[Any]) -> None:
        single = tuple((field.name,) for field in resource.fields.values() if field.unique)
        self.resource = resource
        self.rules: tuple[Rule, ...] = tuple(dict.fromkeys((*single, *resource.unique)))
        self.counter = 0
        self._rows: dict[Identity, Values] = {}
        self._owners: dict[Rule, dict[Identity, Identity]] = {rule: {} for rule in self.rules}

    @property
    def table(self) -> "Table":
        """Itself."""
        return self

    def get(self, identity: Identity) -> Values | None:
        """The row at *identity*."""
        return self._rows.get(identity)

    def rows(self) -> Iterator[Values]:
        """All of them, in the order of their arrival."""
        return iter(tuple(self._rows.values()))

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Whose *values* these are under *rule*."""
        return self._owners[rule].get(values)

    def take(self, layer: "Layer") -> None:
        """Put what *layer* holds in place of what is here."""
        for identity in layer.changes:
            old = self._rows.pop(identity, None)
            for rule, claim in self.claims(old):
                _ = self._owners[rule].pop(claim, None)
        for identity, change in layer.changes.items():
            if change.row is not None:
                self._rows[identity] = change.row
            for rule, claim in self.claims(change.row):
                self._owners[rule][claim] = identity

    def claims(self, row: Values | None) -> Iterator[tuple[Rule, Identity]]:
        """Each rule and the values that *row* claims under it. Nulls claim nothing, nor does what is deleted."""
        if row is not None and is_satisfied_by(self.resource.alive, row):
            for rule in self.rules:
                claim = _claim(rule, row)
                if None not in claim:
                    yield rule, claim


@dataclass(slots=True)
class Change:
    """What is to happen to one row.

    Attributes:
        seen: The row as it was below; `None` when there was none.

        row: The row as it shall be; `None` when it shall go.

        fields: The fields that were set; `None` for all of them.

        guarded: It holds only for the row that was seen.
    """

    seen: Values | None
    row: Values | None
    fields: frozenset[str] | None = None
    guarded: bool = False


class Layer:
    """Rows written on top of others, which stay as they are."""

    __slots__ = ("_below", "_owners", "changes", "table")

    def __init__(self, below: Rows) -> None:
        self._below = below
        self.table = below.table
        self.changes: dict[Identity, Change] = {}
        self._owners: dict[Rule, dict[Identity, Identity]] = {rule: {} for rule in self.table.rules}

    def get(self, identity: Identity) -> Values | None:
        """The row at *identity*, written here or seen through."""
        change = self.changes.get(identity)
        return self._below.get(identity) if change is None else change.row

    def rows(self) -> Iterator[Values]:
        """All of them."""
        key = self.table.resource.key
        for row in self._below.rows():
            if _claim(key, row) not in self.changes:
                yield row
        for change in tuple(self.changes.values()):
            if change.row is not None:
                yield change.row

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Whose *values* these are under *rule*."""
        here = self._owners[rule].get(values)
        if here is not None:
            return here
        below = self._below.owner(rule, values)
        return None if below is None or below in self.changes else below

    def write(
        self,
        identity: Identity,
        row: Values | None,
        *,
        fields: frozenset[str] | None = None,
        guarded: bool = False,
    ) -> Rule | None:
        """Put *row* at *identity*, or take away what is there when it is `None`.

        Returns:
            The rule that forbids it, in which case nothing has changed.
        """
        claims = tuple(self.table.claims(row))
        for rule, claim in claims:
            owner = self.owner(rule, claim)
            if owner is not None and owner != identity:
                return rule
        before = self.changes.get(identity)
        if before is None:
            self.changes[identity] = Change(self._below.get(identity), row, fields, guarded)
        else:
            for rule, claim in self.table.claims(before.row):
                _ = self._owners[rule].pop(claim, None)
            before.fields = None if before.fields is None or fields is None else before.fields | fields
            before.guarded = before.guarded or guarded
            before.row = row
        for rule, claim in claims:
            self._owners[rule][claim] = identity
        return None

    def sink_into(self, below: "Layer") -> None:
        """Write to *below*, which this one lies upon, everything that was written here."""
        for identity, change in self.changes.items():
            _ = below.write(identity, change.row, fields=change.fields, guarded=change.guarded)


def _claim(rule: Rule, row: Mapping[str, Any]) -> Identity:
    return tuple(row[field] for field in rule)
