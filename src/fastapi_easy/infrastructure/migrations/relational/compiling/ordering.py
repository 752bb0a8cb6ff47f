"""In which order steps are executed."""

import enum
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi_easy.domain.migrations.step import Step

Item = TypeVar("Item")
Name = TypeVar("Name", bound=Hashable)


class Phase(enum.IntEnum):
    """When a step is executed: what others stand on comes first, what deletes data last if it is still read."""

    SCHEMAS = enum.auto()
    RENAMES = enum.auto()
    FOREIGN_KEY_DROPS = enum.auto()
    CONSTRAINT_DROPS = enum.auto()
    INDEX_DROPS = enum.auto()
    COLUMN_DROPS = enum.auto()
    TABLE_DROPS = enum.auto()
    TYPES = enum.auto()
    LABELS = enum.auto()
    TABLES = enum.auto()
    TABLE_OPTIONS = enum.auto()
    NULLABLE = enum.auto()
    COLUMNS = enum.auto()
    BACKFILLS = enum.auto()
    COLUMN_TYPES = enum.auto()
    DEFAULTS = enum.auto()
    NOT_NULL = enum.auto()
    PRIMARY_KEYS = enum.auto()
    INDEXES = enum.auto()
    CONSTRAINTS = enum.auto()
    FOREIGN_KEYS = enum.auto()
    VALIDATIONS = enum.auto()
    LATE_COLUMN_DROPS = enum.auto()
    LATE_INDEX_DROPS = enum.auto()
    TYPE_DROPS = enum.auto()
    STATEMENTS = enum.auto()
    SCHEMA_DROPS = enum.auto()


@dataclass(frozen=True, slots=True)
class Placed:
    """A step, and when it is executed.

    Attributes:
        phase: When.

        step: What.
    """

    phase: Phase
    step: Step


def in_order(placed: Iterable[Placed]) -> list[Step]:
    """Return the steps by phase; those of one phase stay in the order they are in."""
    return [each.step for each in sorted(placed, key=lambda each: each.phase)]


def referred_first(
    items: Sequence[Item], name: Callable[[Item], Name], refers: Mapping[Name, set[Name]]
) -> list[Item]:
    """Return *items* so that each comes after those it refers to; circles are cut where they are entered.

    Args:
        items: In any order.

        name: Of an item.

        refers: The names that each name refers to.
    """
    by_name = {name(each): each for each in items}
    done: dict[Name, Item] = {}
    under_way: set[Name] = set()

    def visit(current: Name) -> None:
        if current in done or current in under_way or current not in by_name:
            return
        under_way.add(current)
        for other in sorted(refers.get(current, ()), key=str):
            visit(other)
        done[current] = by_name[current]

    for each in items:
        visit(name(each))
    return list(done.values())
