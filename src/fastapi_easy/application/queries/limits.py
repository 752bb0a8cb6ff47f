"""The limits of the size of a query."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """The largest query that is accepted. A larger one is `Invalid`, and the error names the limit.

    Attributes:
        depth: Levels of nested `and`, `or` and `not`.

        leaves: Comparisons in all.

        items: Values in one list.

        text: Characters in one text value.

        offset: Entities to skip.

        relations: Relations from one to the next, in comparisons, orders and includes.

        includes: Relations included in all.

        groups: Groups in one answer to an aggregation.
    """

    depth: int = 3
    leaves: int = 50
    items: int = 200
    text: int = 256
    offset: int = 1_000_000_000
    relations: int = 2
    includes: int = 10
    groups: int = 1000
