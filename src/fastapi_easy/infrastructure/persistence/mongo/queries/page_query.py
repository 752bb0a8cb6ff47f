"""A query for one page → the `find` or the pipeline that answers it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.page import Count, Cursor, Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import FindOptions
from fastapi_easy.infrastructure.persistence.mongo.queries.sorting import (
    SortPlan,
    build_keyset_match,
    build_sort_plan,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import (
    Condition,
    PlanLookup,
    build_condition,
)

COUNT_FIELD = "__fe_count"
"""The field in which a counting pipeline returns the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """A query, prepared for MongoDB.

    Attributes:
        plan: Of its resource.

        fields: The fields of each row.

        condition: Of its specification.

        sort_plan: Of its total order.

        page_request: The window.

        is_everything: Whether no entity is left out.
    """

    plan: Plan
    fields: tuple[str, ...]
    condition: Condition
    sort_plan: SortPlan
    page_request: PageRequest
    is_everything: bool

    @property
    def pipeline(self) -> list[Document]:
        """The pipeline for the rows of the window, and one more that shows whether another page follows."""
        page_request = self.page_request
        after_match = (
            []
            if page_request.after is None
            else [{"$match": build_keyset_match(self.sort_plan.terms, page_request.after.values)}]
        )
        skipped = [{"$skip": page_request.offset}] if page_request.offset else []
        return [
            *self._sorted_stages(after_match),
            *skipped,
            {"$limit": page_request.limit + 1},
            self._projection_stage,
        ]

    @property
    def find_options(self) -> FindOptions | None:
        """The same window as options of `find`, which is quicker; `None` when it takes a pipeline."""
        sort_plan, page_request = self.sort_plan, self.page_request
        if self.condition.lookup_stages or sort_plan.setup_stages:
            return None
        match = self.condition.match
        if page_request.after is not None:
            after_match = build_keyset_match(sort_plan.terms, page_request.after.values)
            match = {"$and": [match, after_match]} if match else after_match
        return FindOptions(
            match=match,
            projection=None if self.fields == self.plan.names else self._projection_stage["$project"],
            sort=sort_plan.sort_stage["$sort"],
            skip=page_request.offset,
            limit=page_request.limit + 1,
        )

    @property
    def unpaged_pipeline(self) -> list[Document]:
        """The pipeline for every row, whatever the window."""
        return [*self._sorted_stages([]), self._projection_stage]

    def known_total(self, documents: Sequence[Document]) -> int | None:
        """Return the total, if the window of *documents* already shows it: it holds the last row."""
        page_request = self.page_request
        is_last = len(documents) <= page_request.limit and (documents or not page_request.offset)
        return page_request.offset + len(documents) if page_request.after is None and is_last else None

    def page(self, documents: Sequence[Document], total: int | None) -> Page[Row]:
        """Build the page of *documents*, the answer."""
        # One more document than the limit was asked for, and shows that another page follows.
        kept = documents[: self.page_request.limit]
        following = None
        if len(documents) > self.page_request.limit:
            following = Cursor(tuple(term.position(kept[-1]) for term in self.sort_plan.terms))
        return Page(self.rows(kept), total, following)

    def rows(self, documents: Sequence[Document]) -> Sequence[Row]:
        """Decode the requested fields of *documents*."""
        return self.plan.reader.rows(documents, self.fields)

    def _sorted_stages(self, after_match: list[Document]) -> list[Document]:
        sort_plan = self.sort_plan
        is_computed = any(term.is_computed for term in sort_plan.terms)
        # Entities before the position are left out early, so that nothing is computed for them; unless the order is by
        # what has to be computed first: fields of related entities, or what stands for a missing field.
        early, late = ([], after_match) if is_computed else (after_match, [])
        return [*self.condition.pipeline, *early, *sort_plan.setup_stages, *late, sort_plan.sort_stage]

    @property
    def _projection_stage(self) -> Document:
        terms = self.sort_plan.terms
        names = [*self.fields, *(term.sort.field for term in terms if not term.is_computed)]
        fetched = {term.path: 1 for term in terms if term.is_computed}
        return {"$project": {**self.plan.projection(names), **fetched}}


def build_page_query(plan: Plan, plans: PlanLookup, query: Query, fields: Sequence[str] | None) -> PageQuery:
    """Prepare *query* for *plan*, with *fields* or all of them."""
    return PageQuery(
        plan=plan,
        fields=plan.names if fields is None else tuple(fields),
        condition=build_condition(query.specification, plan, plans),
        sort_plan=build_sort_plan(total_order(query.order, plan.resource.key), plan, plans),
        page_request=query.page,
        is_everything=isinstance(query.specification, Everything),
    )


def build_count_pipeline(condition: Condition) -> list[Document]:
    """Build the pipeline that counts the documents *condition* lets pass."""
    return [*condition.pipeline, {"$count": COUNT_FIELD}]


def read_count(documents: Sequence[Document]) -> int:
    """Return the number that a counting pipeline answered, which is no document at all for 0."""
    return int(documents[0][COUNT_FIELD]) if documents else 0


def is_estimated(page_query: PageQuery) -> bool:
    """Return whether the server's own estimate of all documents is what is asked for."""
    return page_query.page_request.count is Count.ESTIMATED and page_query.is_everything
