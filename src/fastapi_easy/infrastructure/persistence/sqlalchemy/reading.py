"""Pages: a query → one statement, and its answer → a page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Executable, text

from fastapi_easy.domain.changes.row import Row, Rows
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.ordering import Sort, total_order
from fastapi_easy.domain.queries.page import Cursor, Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.build import columns_for_order, page
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.order import cursor_parameters
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    ConditionTemplate,
    name_parameters,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.converted_type import comparable
from fastapi_easy.infrastructure.relational.driver.executor import Record, StatementResult
from fastapi_easy.infrastructure.relational.driver.unreadable import UnexpectedRows, unexpected

Fetch: TypeAlias = Callable[[Executable, Mapping[str, object]], Awaitable[Sequence[Record]]]
"""Runs a statement with its values and returns the decoded rows."""

MIN_ESTIMATE: Final = 10_000
"""Rows below which counting is cheap, and the statistics behind an estimate are too coarse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window of the rows of one resource, as a query asks for it.

    Attributes:
        plan: The plan of the resource.

        fields: The fields of each row.

        order: A total order.

        form: The form of the specification.

        values: The values of the specification, by parameter.

        page_request: Where the window begins, its length, and whether its total is wanted.

        is_everything: Whether the specification means all rows.
    """

    plan: Plan
    fields: tuple[str, ...]
    order: tuple[Sort, ...]
    form: ConditionTemplate
    values: Mapping[str, object]
    page_request: PageRequest
    is_everything: bool

    @property
    def is_first(self) -> bool:
        """Whether it begins with the first row."""
        return self.page_request.after is None and not self.page_request.offset

    @property
    def parameters(self) -> Mapping[str, object]:
        """The values for `statement`; one row more than asked for shows whether another page follows."""
        page_request = self.page_request
        parameters = {**self.values, "fe_limit": page_request.limit + 1}
        if page_request.offset:
            parameters["fe_offset"] = page_request.offset
        if page_request.after is not None:
            parameters.update(cursor_parameters(page_request.after.values))
        return parameters

    def statement(self, *, counted: bool, held: bool = False) -> Executable:
        """Build the statement, with the total in its last column when it is *counted*; *held* as in `page`."""
        return page(
            self.plan, self.fields, self.form, self.order, self.page_request, counted=counted, held=held
        )

    def page(self, answer: StatementResult, total: int | None) -> Page[Row]:
        """Turn *answer* into a page."""
        limit, fields = self.page_request.limit, self.fields
        records = answer.undecoded_rows
        # What was selected for the order or the total alone stands behind the fields, and is left out of the rows.
        texts = {fields[place]: read for place, read in answer.texts.items() if place < len(fields)}
        kept = records[:limit]
        following = None
        if len(records) > limit:
            names = (*fields, *(sort.name for sort in columns_for_order(fields, self.order)))
            last = dict(zip(names, kept[-1], strict=False))
            values = [_read(last[sort.name], texts.get(sort.name)) for sort in self.order]
            if answer.decoder is not None:
                raw = dict(zip(names, answer.records[limit - 1], strict=False))
                values = [
                    self._comparable(sort, value, raw[sort.name])
                    for sort, value in zip(self.order, values, strict=True)
                ]
            following = Cursor(tuple(values))
            if self.plan.server.name == "sqlite":
                following = self._with_unexpected_values(following)
        rows = Rows(fields, kept, texts)
        # What writes undecoded rows takes all values for what was declared, so that these are made into rows now.
        has_unexpected = isinstance(records, UnexpectedRows) or self._has_unexpected_values(kept)
        return Page(list(rows) if has_unexpected else rows, total, following)

    def _comparable(self, sort: Sort, value: object, raw: object) -> object:
        """Return *value* of a cursor, or *raw* in its place where a type of the user's gives it, and yet refuses it."""
        terms = self.plan.terms
        for relation in sort.path:
            terms = terms.resolve_relation(relation).target
        return value if sort.field not in terms.kept else comparable(terms.plain(sort.field).type, value, raw)

    def _has_unexpected_values(self, records: Sequence[Record]) -> bool:
        """Return whether a column type of the user's could not read a value of *records*."""
        kept = self.plan.terms.kept
        if not kept:
            return False
        places = [place for place, name in enumerate(self.fields) if name in kept]
        return any(type(record[place]) is UnexpectedValue for record in records for place in places)

    def _with_unexpected_values(self, cursor: Cursor) -> Cursor:
        """Return *cursor* with place holders of what SQLite holds in numbers and texts, which are not decoded."""
        return Cursor(
            tuple(
                unexpected(value) if _is_unexpected(value, self._field(sort)) else value
                for value, sort in zip(cursor.values, self.order, strict=True)
            )
        )

    def _field(self, sort: Sort) -> Field:
        resource = sort.path[-1].target if sort.path else self.plan.resource
        inside = resource.paths.get(sort.field)
        field: Field = resource.stored_fields[sort.field] if inside is None else inside.field
        return field


def window_of(plan: Plan, query: Query, fields: Sequence[str] | None) -> Window:
    """Return the window that *query* asks for, with *fields* or all of them."""
    order = total_order(query.order, plan.resource.key)
    wanted = plan.names if fields is None else tuple(fields)
    form, values = parameterize(query.specification, plan.terms)
    return Window(
        plan=plan,
        fields=wanted,
        order=order,
        form=form,
        values=name_parameters(values),
        page_request=query.page,
        is_everything=isinstance(query.specification, Everything),
    )


def _read(value: Any, read: Callable[[str], object] | None) -> object:
    return value if read is None or value is None else read(value)


def _is_unexpected(value: object, field: Field) -> bool:
    undecoded = field.kind is Kind.INTEGER or field.kind is Kind.TEXT
    return undecoded and value is not None and type(value) is not field.python_type


async def read_estimate(window: Window, fetch: Fetch) -> int | None:
    """Read PostgreSQL's own estimate of the number of rows; `None` where it has none that is good enough."""
    plan = window.plan
    if plan.server.name != "postgresql" or not window.is_everything:
        return None
    quoted = plan.server.dialect.identifier_preparer.format_table(plan.table)
    statement = plan.statement(
        "estimate",
        lambda: text(
            "SELECT CAST(reltuples AS bigint) AS rows FROM pg_class WHERE oid = CAST(:name AS regclass)"
        ).columns(rows=BigInteger()),
    )
    # The statement casts the name itself: asyncpg would want a number for a parameter of type regclass.
    records = await fetch(statement, {"name": quoted})
    estimate = int(records[0][0]) if records else 0
    return estimate if estimate > MIN_ESTIMATE else None
