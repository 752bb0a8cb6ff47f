"""What a resource with `reading="strict"` answers in place of entities with values that their fields cannot hold."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from returns.result import Failure

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Outcome, UnreadableEntity
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.unexpected import UnexpectedValue


def fields_with_key(
    resource: Resource[Any], fields: Sequence[str], readable: Sequence[str]
) -> tuple[str, ...]:
    """Return *fields*, and those of the key where the caller may read them, by which problems name entities."""
    return tuple(dict.fromkeys((*fields, *(name for name in resource.key if name in readable))))


def check_row(resource: Resource[Any], read: Outcome[Row]) -> Outcome[Row]:
    """Return what was *read*, or `UnreadableEntity`."""
    if isinstance(read, Failure):
        return read
    found = _find(resource, read.unwrap())
    return read if found is None else Failure(found)


def check_page(resource: Resource[Any], page: Page[Row]) -> Page[Row]:
    """Return *page* without the entities that cannot be read, which become its problems.

    They count in its total, and the next page begins behind them.
    """
    found = [_find(resource, row) for row in page.items]
    items = [row for row, problem in zip(page.items, found, strict=True) if problem is None]
    return replace(page, items=items, problems=tuple(each for each in found if each is not None))


async def check_stream(
    resource: Resource[Any], batches: AsyncIterator[Sequence[Row]], fields: Sequence[str]
) -> AsyncGenerator[Sequence[Row]]:
    """Yield *batches* with *fields* only.

    Raises:
        StreamBroken: An entity cannot be read, so that the export would not be complete.
    """
    try:
        async for rows in batches:
            for row in rows:
                if (found := _find(resource, row)) is not None:
                    raise StreamBroken(resource.database, found)
            yield [Row({name: row[name] for name in fields}) for row in rows]
    finally:
        close = getattr(batches, "aclose", None)
        if close is not None:
            await close()


def _find(resource: Resource[Any], row: Row) -> UnreadableEntity | None:
    """Return the problem of *row*, if there is one."""
    fields = tuple(name for name, value in row.items() if not _fits(resource.fields[name], value))
    if not fields:
        return None
    has_key = all(name in row for name in resource.key)
    return UnreadableEntity(resource.name, resource.key_of(row) if has_key else None, fields)


def _fits(field: Field, value: object) -> bool:
    """Return whether *value*, as the store read it, is what *field* is documented to hold."""
    if value is None:
        return field.nullable
    if isinstance(value, UnexpectedValue):
        return False
    return field.document is None or field.document.fits(value)
