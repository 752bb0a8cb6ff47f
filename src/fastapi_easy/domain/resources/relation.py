"""Relations between entities of two classes, as a user declares them."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """An association table: a many-to-many relation goes through it.

    Attributes:
        table: The association table, as the adapter whose mapping found it knows it.

        local: Its columns that hold the values of `Link.local`.

        remote: Its columns that hold the values of `Link.remote`.

        name: What `Shape.table` of a class that is mapped to it says; `None` where no class could be.
    """

    table: Any
    local: tuple[str, ...]
    remote: tuple[str, ...]
    name: str | None = None


class Side(enum.Enum):
    """An end of a relation."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A relation as it stands in the user's class, or in the declaration of a resource.

    Attributes:
        target: The class it leads to, or the name of a resource.

        many: It leads to any number of entities, not to one at most.

        local: The fields of this entity that are compared; the key when empty. A field that holds a list leads to
            each entity whose value is in the list.

        remote: The fields of the other, pairwise; its key when empty. A field that holds a list is compared alike.

        through: What lies between, if anything does.

        order: The fields of the other by which the class sorts them, each with `-` before it for the largest first.
    """

    target: type[Any] | str
    many: bool
    local: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    through: Through | None = None
    order: tuple[str, ...] = ()


def to_one(target: type[Any] | str, by: str | Sequence[str]) -> Link:
    """Return a link to the entity of *target* whose key is in the fields *by* of this one, if they are not null."""
    return Link(target=target, many=False, local=_names(by))


def to_many(target: type[Any] | str, by: str | Sequence[str]) -> Link:
    """Return a link to the entities of *target* whose fields *by* hold the key of this one, alone or in a list."""
    return Link(target=target, many=True, remote=_names(by))


def to_listed(target: type[Any] | str, by: str) -> Link:
    """Return a link to the entities of *target* whose keys are in the list that the field *by* of this one holds."""
    return Link(target=target, many=True, local=(by,))


def _names(by: str | Sequence[str]) -> tuple[str, ...]:
    return (by,) if isinstance(by, str) else tuple(by)
