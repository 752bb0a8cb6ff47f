"""A query → the pipeline that answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.changes.row import Row, Rows
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.page import Count, Cursor, Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Document, Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Search
from fastapi_easy.infrastructure.persistence.mongo.queries.sorting import Arrangement, arrangement_of, behind
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import Condition, Plans, condition_of

COUNTED = "__fe_count"
"""Where a pipeline that counts puts the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a query asks for, taken apart.

    Attributes:
        plan: Of its resource.

        fields: What each row shall hold.

        condition: Of its specification.

        arrangement: Of its total order.

        wish: Which window.

        is_everything: No entity is left out.
    """

    plan: Plan[Any]
    fields: tuple[str, ...]
    condition: Condition
    arrangement: Arrangement
    wish: PageRequest
    is_everything: bool

    @property
    def pipeline(self) -> list[Document]:
        """The rows of the window, and one more that shows whether another page follows."""
        wish = self.wish
        further = (
            [] if wish.after is None else [{"$match": behind(self.arrangement.terms, wish.after.values)}]
        )
        skipped = [{"$skip": wish.offset}] if wish.offset else []
        return [*self._sorted(further), *skipped, {"$limit": wish.limit + 1}, self._projected]

    @property
    def search(self) -> Search | None:
        """The same as a plain search, which the server answers quicker; `None` when it takes a pipeline."""
        arrangement, wish = self.arrangement, self.wish
        if self.condition.stages or arrangement.preparing:
            return None
        match = self.condition.plain
        if wish.after is not None:
            further = behind(arrangement.terms, wish.after.values)
            match = {"$and": [match, further]} if match else further
        return Search(
            match=match,
            projection=None if self.fields == self.plan.names else self._projected["$project"],
            sort=arrangement.stage["$sort"],
            skip=wish.offset,
            limit=wish.limit + 1,
        )

    @property
    def whole(self) -> list[Document]:
        """Every row, whatever the window."""
        return [*self._sorted([]), self._projected]

    def known_total(self, documents: Sequence[Document]) -> int | None:
        """How many rows there are, if what the window gave already tells."""
        wish = self.wish
        is_last = len(documents) <= wish.limit and (documents or not wish.offset)
        return wish.offset + len(documents) if wish.after is None and is_last else None

    def page(self, documents: Sequence[Document], total: int | None) -> Page[Row]:
        """The answer as a page."""
        kept = documents[: self.wish.limit]
        following = None
        if len(documents) > self.wish.limit:
            following = Cursor(tuple(term.value(kept[-1]) for term in self.arrangement.terms))
        return Page(self.rows(kept), total, following)

    def rows(self, documents: Sequence[Document]) -> Rows:
        """What was asked for of *documents*."""
        return Rows(self.fields, self.plan.reader(self.fields)(documents))

    def _sorted(self, further: list[Document]) -> list[Document]:
        arrangement = self.arrangement
        has_paths = any(term.sort.path for term in arrangement.terms)
        # What lies before the place is left out before anything is computed, unless it has to be fetched first.
        early, late = ([], further) if has_paths else (further, [])
        return [*self.condition.pipeline, *early, *arrangement.preparing, *late, arrangement.stage]

    @property
    def _projected(self) -> Document:
        terms = self.arrangement.terms
        names = [*self.fields, *(term.sort.field for term in terms if not term.sort.path)]
        fetched = {term.path: 1 for term in terms if term.sort.path}
        return {"$project": {**self.plan.projection(names), **fetched}}


def window_of(plan: Plan[Any], plans: Plans, query: Query, fields: Sequence[str] | None) -> Window:
    """The window that *query* asks for, with *fields* or all of them."""
    return Window(
        plan=plan,
        fields=plan.names if fields is None else tuple(fields),
        condition=condition_of(query.specification, plan, plans),
        arrangement=arrangement_of(total_order(query.order, plan.resource.key), plan, plans),
        wish=query.page,
        is_everything=isinstance(query.specification, Everything),
    )


def counting(condition: Condition) -> list[Document]:
    """How many documents *condition* lets pass."""
    return [*condition.pipeline, {"$count": COUNTED}]


def counted(documents: Sequence[Document]) -> int:
    """What a counting pipeline answered: nothing, for none."""
    return int(documents[0][COUNTED]) if documents else 0


def is_estimated(window: Window) -> bool:
    """Whether the store's own number of documents is what is asked for."""
    return window.wish.count is Count.ESTIMATED and window.is_everything
