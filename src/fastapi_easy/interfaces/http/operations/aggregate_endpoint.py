"""The endpoint that answers numbers about many entities."""

import datetime
from dataclasses import replace
from typing import Any

from pydantic_core import to_jsonable_python

from fastapi_easy.application import AggregateEntities
from fastapi_easy.application.queries.aggregation_parser import called_outside
from fastapi_easy.domain import Aggregation, Group
from fastapi_easy.domain.resources.naming import Naming
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.http.exchange import Answer, Exchange, granted, json_answer
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.requests.decode import read_context, read_pairs


class Aggregating:
    """Answers with groups and their numbers."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._use_cases = surface.use_cases

    async def aggregate(self, exchange: Exchange, segment: bytes) -> Answer:
        """`GET /books/aggregate`."""
        pairs = read_pairs(exchange, self._surface.options.query_limit)
        context = read_context(exchange)
        asked = granted(self._use_cases.queries.aggregation(pairs))
        # One more than wished for tells whether there are more.
        command = AggregateEntities(replace(asked, limit=asked.limit + 1))
        groups = granted(await self._use_cases.aggregate(command, context))
        following = asked.offset + asked.limit if len(groups) > asked.limit else None
        naming = self._surface.resource.naming
        items = [_shown(group, asked, naming) for group in groups[: asked.limit]]
        return json_answer(200, dumps({"items": items, "next_offset": following}))


def _shown(group: Group, asked: Aggregation, naming: Naming) -> dict[str, Any]:
    by = zip(map(naming.out, asked.group_by), group.by, strict=True)
    names = (called_outside(measure, naming) for measure in asked.measures)
    totals = zip(names, group.totals, strict=True)
    return {
        "by": {name: _plain(value) for name, value in by},
        "totals": {name: _plain(value) for name, value in totals},
    }


def _plain(value: object) -> object:
    # orjson loses a zero in times of day; see `encode`.
    return to_jsonable_python(value) if isinstance(value, datetime.time) else value
