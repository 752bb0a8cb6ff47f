"""Tables in the process, and layers of uncommitted rows over them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fastapi_easy.domain.queries.specification import is_satisfied_by
from fastapi_easy.domain.resources.resource import LinkedReference, Resource
from fastapi_easy.infrastructure.persistence.memory.reference_index import NO_REFERENCES, ReferenceIndex

Identity: TypeAlias = tuple[object, ...]
"""The values of the key fields, also when there is only one."""

Values: TypeAlias = dict[str, Any]
"""A stored row. Never changed in place: a write puts another one there."""

Rule: TypeAlias = tuple[str, ...]
"""Fields whose values, taken together, must differ between rows, or are to be found in another table."""


class Rows(Protocol):
    """The rows of one resource as a statement or a transaction sees them."""

    @property
    def table(self) -> "Table":
        """The table they end up in."""
        ...

    def get(self, identity: Identity) -> Values | None:
        """Return the row at *identity*."""
        ...

    def rows(self) -> Iterator[Values]:
        """Yield all rows, in no particular order."""
        ...

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Return the identity of the row that holds *values* under the unique *rule*, if one does."""
        ...

    def referring_rows(self, rule: Rule, values: Identity) -> Collection[Identity]:
        """Return where the rows are that hold *values* in the fields *rule* of a reference."""
        ...

    def apply(self, layer: "Layer") -> None:
        """Put what *layer* holds in place of what is here."""
        ...


class Table:
    """The committed rows of one resource.

    Attributes:
        resource: Whose rows these are.

        rules: What must differ between rows.

        references: What its rows refer to.

        referrers: What rows refer to it.

        counter: The last key that was given out.
    """

    __slots__ = (
        "_owners",
        "_reference_index",
        "_rows",
        "counter",
        "references",
        "referrers",
        "resource",
        "rules",
    )

    def __init__(self, resource: Resource[Any]) -> None:
        single = tuple((field.name,) for field in resource.stored_fields.values() if field.unique)
        self.resource = resource
        self.rules: tuple[Rule, ...] = tuple(dict.fromkeys((*single, *resource.unique)))
        self.references: tuple[ForeignKey, ...] = ()
        self.referrers: list[ForeignKey] = []
        self.counter = 0
        self._rows: dict[Identity, Values] = {}
        self._owners: dict[Rule, dict[Identity, Identity]] = {rule: {} for rule in self.rules}
        self._reference_index = NO_REFERENCES

    def enforce_references(self, table_of: Callable[[Resource[Any]], "Table"]) -> None:
        """Enforce the references of the resource from now on; *table_of* finds the tables they lead to."""
        references = self.resource.references
        self.references = tuple(ForeignKey(self, table_of(each.target), each) for each in references)
        if self.references:
            self._reference_index = ReferenceIndex(each.fields for each in self.references)
        for each in self.references:
            each.target.referrers.append(each)

    @property
    def table(self) -> "Table":
        """Itself."""
        return self

    def get(self, identity: Identity) -> Values | None:
        """Return the row at *identity*."""
        return self._rows.get(identity)

    def rows(self) -> Iterator[Values]:
        """Yield all rows, in the order of their arrival."""
        return iter(tuple(self._rows.values()))

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Return the identity of the row that holds *values* under the unique *rule*, if one does."""
        return self._owners[rule].get(values)

    def referring_rows(self, rule: Rule, values: Identity) -> Collection[Identity]:
        """Return where the rows are that hold *values* in the fields *rule* of a reference."""
        return self._reference_index.of(rule, values)

    def apply(self, layer: "Layer") -> None:
        """Put what *layer* holds in place of what is here."""
        # All old values go first: rows of one transaction may swap unique values.
        for identity in layer.changes:
            old = self._rows.pop(identity, None)
            for rule, claim in self.claims(old):
                _ = self._owners[rule].pop(claim, None)
            if self.references:
                self._reference_index.remove(identity, old)
        for identity, change in layer.changes.items():
            if change.row is not None:
                self._rows[identity] = change.row
            for rule, claim in self.claims(change.row):
                self._owners[rule][claim] = identity
            if self.references:
                self._reference_index.add(identity, change.row)

    def claims(self, row: Values | None) -> Iterator[tuple[Rule, Identity]]:
        """Yield each unique rule with the values of *row* under it. Nulls and deleted rows take nothing."""
        if row is not None and is_satisfied_by(self.resource.alive, row):
            for rule in self.rules:
                claim = values_in(rule, row)
                if None not in claim:
                    yield rule, claim


class ForeignKey:
    """A rule that rows of one table refer to rows that are there, in the same or another table.

    Attributes:
        source: Whose rows refer.

        target: Whose rows they refer to.

        declared: As it was declared.

        fields: The fields that hold the reference.
    """

    __slots__ = ("_order", "_rule", "declared", "fields", "source", "target")

    def __init__(self, source: Table, target: Table, declared: LinkedReference) -> None:
        self.source = source
        self.target = target
        self.declared = declared
        self.fields: Rule = declared.fields
        key, there = target.resource.key, declared.remote
        # What is marked as deleted claims nothing under a unique rule, and yet is there.
        rules = (key,) if target.resource.soft_delete else (key, *target.rules)
        self._rule: Rule = next((rule for rule in rules if sorted(rule) == sorted(there)), ())
        self._order = tuple(there.index(field) for field in self._rule)

    def has_target(self, rows: Rows, values: Identity) -> bool:
        """Tell whether one of *rows*, those of the target, is what *values* refer to."""
        if not self._rule:
            return any(values_in(self.declared.remote, row) == values for row in rows.rows())
        claim = tuple(values[place] for place in self._order)
        if self._rule == self.target.resource.key:
            return rows.get(claim) is not None
        return rows.owner(self._rule, claim) is not None

    def new_reference(self, change: "Change") -> Identity | None:
        """Return what *change* makes a row of the source refer to, unless it did so before."""
        if change.row is None:
            return None
        values = values_in(self.fields, change.row)
        if None in values or (
            change.original is not None and values_in(self.fields, change.original) == values
        ):
            return None
        return values

    def old_reference(self, change: "Change") -> Identity | None:
        """Return the values under which a row of the target was referred to until *change*."""
        if change.original is None:
            return None
        values = values_in(self.declared.remote, change.original)
        if change.row is not None and values_in(self.declared.remote, change.row) == values:
            return None
        return None if None in values else values


@dataclass(slots=True)
class Change:
    """What is to happen to one row.

    Attributes:
        original: The row as it was below; `None` when there was none.

        row: The row as it shall be; `None` when it shall go.

        fields: The fields that were set; `None` for all of them.

        is_versioned: It holds only for the row that was seen.
    """

    original: Values | None
    row: Values | None
    fields: frozenset[str] | None = None
    is_versioned: bool = False


class Layer:
    """Rows written on top of others, which stay as they are."""

    __slots__ = ("_below", "_owners", "_reference_index", "changes", "table")

    def __init__(self, below: Rows) -> None:
        self._below = below
        self.table = below.table
        self.changes: dict[Identity, Change] = {}
        self._owners: dict[Rule, dict[Identity, Identity]] = {rule: {} for rule in self.table.rules}
        references = self.table.references
        self._reference_index = (
            ReferenceIndex(each.fields for each in references) if references else NO_REFERENCES
        )

    def get(self, identity: Identity) -> Values | None:
        """Return the row at *identity*, written here or below."""
        change = self.changes.get(identity)
        return self._below.get(identity) if change is None else change.row

    def rows(self) -> Iterator[Values]:
        """Yield all rows."""
        key = self.table.resource.key
        for row in self._below.rows():
            if values_in(key, row) not in self.changes:
                yield row
        for change in tuple(self.changes.values()):
            if change.row is not None:
                yield change.row

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Return the identity of the row that holds *values* under the unique *rule*, if one does."""
        here = self._owners[rule].get(values)
        if here is not None:
            return here
        below = self._below.owner(rule, values)
        return None if below is None or below in self.changes else below

    def referring_rows(self, rule: Rule, values: Identity) -> Collection[Identity]:
        """Return where the rows are that hold *values* in the fields *rule* of a reference."""
        below = [each for each in self._below.referring_rows(rule, values) if each not in self.changes]
        return (*below, *self._reference_index.of(rule, values))

    def write(
        self,
        identity: Identity,
        row: Values | None,
        *,
        fields: frozenset[str] | None = None,
        is_versioned: bool = False,
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
            self.changes[identity] = Change(self._below.get(identity), row, fields, is_versioned)
        else:
            for rule, claim in self.table.claims(before.row):
                _ = self._owners[rule].pop(claim, None)
            # Of one write that set all fields and one that set some, all were set.
            before.fields = None if before.fields is None or fields is None else before.fields | fields
            before.is_versioned = before.is_versioned or is_versioned
            if self.table.references:
                self._reference_index.remove(identity, before.row)
            before.row = row
        for rule, claim in claims:
            self._owners[rule][claim] = identity
        if self.table.references:
            self._reference_index.add(identity, row)
        return None

    def apply(self, layer: "Layer") -> None:
        """Put what *layer* holds in place of what is here."""
        for identity, change in layer.changes.items():
            _ = self.write(identity, change.row, fields=change.fields, is_versioned=change.is_versioned)

    def flush(self) -> None:
        """Put everything that was written here into what this one lies upon."""
        self._below.apply(self)


def values_in(rule: Rule, row: Mapping[str, object]) -> Identity:
    """Return the values of the fields *rule* in *row*."""
    return tuple(row[field] for field in rule)
