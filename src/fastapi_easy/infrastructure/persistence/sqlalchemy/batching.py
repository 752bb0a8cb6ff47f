"""Many new rows, in batches of rows that have values for the same fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Rows
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.relational.driver.executor import Record, StatementResult


@dataclass(frozen=True, slots=True)
class InsertBatch:
    """New rows with values for the same fields.

    Attributes:
        places: The positions of the rows among all that were given, ascending.

        columns: The values of each field, in the order of *places*.
    """

    places: Sequence[int]
    columns: Mapping[str, Sequence[Any]]

    def chunks(self, size: int) -> Iterator["InsertBatch"]:
        """Yield the batch in chunks of *size* rows."""
        for start in range(0, len(self.places), size):
            part = slice(start, start + size)
            yield InsertBatch(
                self.places[part], {name: column[part] for name, column in self.columns.items()}
            )

    def rows(self) -> list[dict[str, object]]:
        """Return the values row by row."""
        names = tuple(self.columns)
        if not names:
            return [{} for _ in self.places]
        return [dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True)]


def make_batches(plan: Plan, many: Sequence[Values], *, is_stored: bool = False) -> list[InsertBatch]:
    """Group *many* by the fields that are written, each row completed as `Plan.with_defaults` does it.

    Rows that were stored before, *is_stored*, keep their version.
    """
    by_given: dict[tuple[str, ...], list[int]] = {}
    for place, values in enumerate(many):
        by_given.setdefault(tuple(values), []).append(place)
    by_written: dict[tuple[str, ...], list[int]] = {}
    for given, places in by_given.items():
        for left_out, those in _split_by_unset_keys(plan, many, given, places):
            by_written.setdefault(plan.written_fields(given, left_out), []).extend(those)
    is_mixed = len(by_given) > 1
    return [
        _columns(plan, many, written, sorted(places) if is_mixed else places, is_stored=is_stored)
        for written, places in by_written.items()
    ]


def find_nulls(plan: Plan, many: Sequence[Values], groups: Sequence[InsertBatch]) -> list[str]:
    """Return the fields that must not be null and are, in the first of *many* that has such fields."""
    first = min(
        (
            group.places[number]
            for group in groups
            for name in plan.required
            for number, value in enumerate(group.columns[name])
            if value is None
        ),
        default=None,
    )
    return [] if first is None else plan.find_nulls(plan.with_defaults(many[first]), whole=True)


def concatenate(parts: Sequence[Rows]) -> Rows:
    """Join *parts*, none of which has been read yet, into one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    records = [record for rows in parts for record in rows.records or ()]
    return Rows(first.fields, records, first.texts)


def inserted_rows(plan: Plan, part: InsertBatch, answer: StatementResult) -> Rows:
    """Return the rows of *answer*, which holds each row of *part* in any order, in the order of *part*."""
    names, records = plan.names, answer.undecoded_rows
    if len(records) != len(part.places):
        raise LookupError(f"{plan.resource.name} did not return the rows that were just inserted")
    if plan.autoincrement_key is not None and plan.autoincrement_key not in part.columns:
        # The server counts up in the order of the rows that were given.
        records = sorted(records, key=itemgetter(names.index(plan.autoincrement_key)))
    elif all(name in part.columns for name in plan.resource.key):
        records = _in_given_order(records, plan, part)
    return Rows(names, records, {names[place]: read for place, read in answer.texts.items()})


def _in_given_order(records: Sequence[Record], plan: Plan, part: InsertBatch) -> Sequence[Record]:
    """Return *records* in the order in which *part* has their keys."""
    names = plan.resource.key
    given = list(zip(*(part.columns[name] for name in names), strict=True))
    places = [plan.names.index(name) for name in names]
    found = [tuple([record[place] for place in places]) for record in records]
    if found == given:
        return records
    by_key = dict(zip(found, records, strict=True))
    if by_key.keys() != set(given):
        # The server has changed the keys, padded a CHAR say: their order cannot be told.
        return records
    return [by_key[key] for key in given]


def _split_by_unset_keys(
    plan: Plan, many: Sequence[Values], given: Sequence[str], places: list[int]
) -> Iterator[tuple[frozenset[str], list[int]]]:
    """Split *places* by the key fields that are null there, which the store fills in."""
    filled = [name for name in plan.generated_keys if name in given]
    if not filled:
        yield frozenset(), places
        return
    parted: dict[frozenset[str], list[int]] = {}
    for place in places:
        unset = frozenset(name for name in filled if many[place][name] is None)
        parted.setdefault(unset, []).append(place)
    yield from parted.items()


def _columns(
    plan: Plan, many: Sequence[Values], written: Sequence[str], places: Sequence[int], *, is_stored: bool
) -> InsertBatch:
    rows = many if len(places) == len(many) else [many[place] for place in places]
    return InsertBatch(places, {name: plan.column(name, rows, is_stored=is_stored) for name in written})
