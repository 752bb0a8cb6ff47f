"""What an import in Python is given, as lines with numbers."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable

from returns.result import Success

from fastapi_easy.application.resources.streams.import_entities import Line
from fastapi_easy.domain.changes.patch import Values


async def numbered(lines: Iterable[Values] | AsyncIterable[Values]) -> AsyncIterator[Line]:
    """Yield *lines* with their numbers, from 1, each when it is needed."""
    number = 0
    if isinstance(lines, AsyncIterable):
        async for values in lines:
            number += 1
            yield number, Success(values)
    else:
        for values in lines:
            number += 1
            yield number, Success(values)
