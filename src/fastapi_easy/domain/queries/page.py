"""Pagination: a window over many entities, and the request for one."""

import enum
from collections.abc import Sequence
from typing import Generic, TypeVar

from fastapi_easy.domain.errors import UnreadableEntity
from fastapi_easy.domain.value_object import value_object

T_co = TypeVar("T_co", covariant=True)


class Count(enum.StrEnum):
    """How the total is counted: not at all, exactly, or as the store's own estimate where it keeps one."""

    NONE = "none"
    EXACT = "exact"
    ESTIMATED = "estimated"


@value_object
class Cursor:
    """A place in keyset pagination: the values of the order's fields in the last entity seen.

    Attributes:
        values: One for each `Sort` of the query's total order, `None` for null.
    """

    values: tuple[object, ...]


@value_object(kw_only=True)
class PageRequest:
    """The window that is requested.

    Attributes:
        limit: Entities at most; 1 or more.

        offset: Entities to skip; 0 or more. Costs time in proportion.

        after: Begin behind this place instead of skipping; costs the same at any depth.

        count: How the total is counted.
    """

    limit: int = 20
    offset: int = 0
    after: Cursor | None = None
    count: Count = Count.NONE


@value_object
class Page(Generic[T_co]):
    """The window that was found.

    Attributes:
        items: In the order of the query.

        total: How many entities the specification means, whatever the window; `None` when not counted.

        next: Where the following page begins; `None` on the last one.

        problems: The entities of this window that cannot be read, where a resource is read strictly.
    """

    items: Sequence[T_co]
    total: int | None = None
    next: Cursor | None = None
    problems: Sequence[UnreadableEntity] = ()
