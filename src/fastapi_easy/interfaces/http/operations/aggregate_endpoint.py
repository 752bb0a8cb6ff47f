"""The endpoint that aggregates: counts, sums and the like, by group."""

import datetime
from dataclasses import replace
from typing import Any

from pydantic_core import to_jsonable_python

from fastapi_easy.application import AggregateEntities
from fastapi_easy.application.queries.aggregation_parser import external_measure_name
from fastapi_easy.domain import Aggregation, Group
from fastapi_easy.domain.resources.naming import FieldAliases
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.http.exchange import Exchange, HttpResponse, json_response, unwrap_or_raise
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.requests.decode import read_context, read_pairs


class AggregateEndpoint:
    """Answers with groups and their totals."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases

    async def aggregate(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `GET /books/aggregate`."""
        pairs = read_pairs(exchange, self._http_resource.options.query_limit)
        context = read_context(exchange)
        aggregation = unwrap_or_raise(self._use_cases.queries.aggregation(pairs))
        # One group more than asked for tells whether there is a next page.
        command = AggregateEntities(replace(aggregation, limit=aggregation.limit + 1))
        groups = unwrap_or_raise(await self._use_cases.aggregate(command, context))
        following = aggregation.offset + aggregation.limit if len(groups) > aggregation.limit else None
        naming = self._http_resource.resource.naming
        items = [_group_members(group, aggregation, naming) for group in groups[: aggregation.limit]]
        return json_response(200, dumps({"items": items, "next_offset": following}))


def _group_members(group: Group, aggregation: Aggregation, naming: FieldAliases) -> dict[str, Any]:
    by = zip(map(naming.alias_of, aggregation.group_by), group.by, strict=True)
    names = (external_measure_name(measure, naming) for measure in aggregation.measures)
    totals = zip(names, group.totals, strict=True)
    return {
        "by": {name: _to_json_value(value) for name, value in by},
        "totals": {name: _to_json_value(value) for name, value in totals},
    }


def _to_json_value(value: object) -> object:
    # orjson loses a zero in times of day; see `encode`.
    return to_jsonable_python(value) if isinstance(value, datetime.time) else value
