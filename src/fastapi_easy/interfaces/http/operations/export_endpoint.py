"""The endpoint that streams every entity of a query as NDJSON or CSV while they are being read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from fastapi_easy.application import ExportEntities
from fastapi_easy.application.queries.include_parser import OPTIONS
from fastapi_easy.domain import BadQuery, Field, Query, Resource, Row, Rows
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.interfaces.formats.csv_cells import record_writer
from fastapi_easy.interfaces.formats.csv_columns import ColumnWriter
from fastapi_easy.interfaces.formats.csv_text import write_record
from fastapi_easy.interfaces.http.exchange import (
    REVALIDATE,
    Exchange,
    ProblemError,
    StreamedResponse,
    problem_error,
    unwrap_or_raise,
)
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.request_problems import not_acceptable
from fastapi_easy.interfaces.http.requests.decode import Pairs, read_context, read_pairs

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
FORMATS: Final = {"ndjson": NDJSON, "csv": CSV}
"""The media types of exports and imports, by their names in the parameter `as`."""

PART: Final = 128 * 1024
"""Bytes of one part; every part costs a message to the server and a pause for other requests."""

_PAGE_PARAMETERS: Final = frozenset({"limit", "offset", "cursor", "count", "include"})
_CSV_TYPE: Final = b"text/csv; charset=utf-8; header=present"

Write: TypeAlias = Callable[[Sequence[Row]], bytes]


class ExportEndpoint:
    """Answers with every entity of a query."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases
        self._resource = http_resource.resource

    async def export(self, exchange: Exchange, segment: bytes) -> StreamedResponse:
        """Answer `GET /books/export`."""
        pairs = read_pairs(exchange, self._http_resource.options.query_limit)
        export_format = _format(exchange, pairs)
        context = read_context(exchange)
        query = self._query([pair for pair in pairs if pair[0] != "as"], context.tenant)
        rows = unwrap_or_raise(await self._use_cases.export(ExportEntities(query), context))
        head, write = self._as_csv(query) if export_format == "csv" else (b"", self._as_ndjson(query))
        parts = _split_into_parts(rows, head, write)
        try:
            # Read before the status line is sent: a store that is down can still be answered with a problem.
            first = await anext(parts, b"")
        except StreamBroken as error:
            raise problem_error(error.error) from None
        media_type = _CSV_TYPE if export_format == "csv" else NDJSON.encode("ascii")
        name = f'attachment; filename="{self._http_resource.segment}.{export_format}"'.encode("ascii")
        headers = (
            (b"content-type", media_type),
            (b"content-disposition", name),
            (b"vary", b"accept"),
            REVALIDATE,
        )
        return StreamedResponse(200, first, parts, headers, self._http_resource.options.export_idle_timeout)

    def _query(self, pairs: Pairs, tenant: str | None) -> Query:
        for name, _ in pairs:
            if name in _PAGE_PARAMETERS or ("." in name and name.rpartition(".")[2] in OPTIONS):
                raise problem_error(
                    BadQuery(name[:64], "An export has no pagination and no includes; remove it")
                )
        query = unwrap_or_raise(self._use_cases.queries.from_parameters(pairs, tenant=tenant))
        if query.includes:
            raise problem_error(BadQuery("fields", "An export holds only fields of the resource itself"))
        return query

    def _as_ndjson(self, query: Query) -> Write:
        encoder, fields = self._http_resource.encoder, query.fields
        return lambda rows: encoder.lines(rows, fields)

    def _as_csv(self, query: Query) -> tuple[bytes, Write]:
        encoder, fields = self._http_resource.encoder, query.fields
        columns = columns_of(self._resource, fields)
        record = record_writer(columns)
        by_columns = None
        if self._resource.schemas.read is None:
            by_columns = ColumnWriter(self._resource, fields or self._resource.readable)

        def write(rows: Sequence[Row]) -> bytes:
            # `ColumnWriter` writes a column at a time; what it cannot write goes through JSON row by row.
            written = by_columns(rows) if by_columns is not None and isinstance(rows, Rows) else None
            if written is not None:
                return written
            return "".join([record(encoder.row(row, fields)) for row in rows]).encode()

        return write_record(columns).encode(), write


def columns_of(resource: Resource[Any], fields: Sequence[str] | None) -> Mapping[str, Field | None]:
    """Return the columns of an export of *fields*, or of all; `None` for computed ones, which have no field."""
    model = resource.schemas.read
    if model is None or fields:
        return {resource.naming.alias_of(name): resource.fields[name] for name in fields or resource.readable}
    shown = {
        info.serialization_alias or name: resource.fields.get(name)
        for name, info in model.model_fields.items()
        if not info.exclude
    }
    return {**shown, **{info.alias or name: None for name, info in model.model_computed_fields.items()}}


async def _split_into_parts(
    chunks: AsyncIterator[Sequence[Row]], head: bytes, write: Write
) -> AsyncGenerator[bytes]:
    rest = head
    try:
        async for rows in chunks:
            rest += write(rows)
            whole = len(rest) - len(rest) % PART
            for start in range(0, whole, PART):
                yield rest[start : start + PART]
            rest = rest[whole:]
        yield rest
    finally:
        # A generator would otherwise hold its connection until it is garbage-collected.
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


def _format(exchange: Exchange, pairs: Pairs) -> str:
    """Return `ndjson` or `csv`, as the parameter `as` or else the Accept header says."""
    given = [value for name, value in pairs if name == "as"]
    if len(given) > 1:
        raise problem_error(BadQuery("as", "Was given more than once"))
    if given and given[0] not in FORMATS:
        raise problem_error(BadQuery("as", f"Must be one of {', '.join(FORMATS)}"))
    if given:
        return given[0]
    accept = exchange.headers.get(b"accept", b"*/*").decode("latin-1")
    weights = {name: _weight(media_type, accept) for name, media_type in FORMATS.items()}
    best = max(FORMATS, key=weights.__getitem__)
    if not weights[best]:
        raise ProblemError(not_acceptable(*FORMATS.values()))
    return best


def _weight(media_type: str, accept: str) -> float:
    """Return the weight of *media_type* in *accept*, 0 to 1, by its most specific range (RFC 9110 12.5.1)."""
    kind = media_type.partition("/")[0]
    best = (0, 0.0)
    for each in accept.lower().split(","):
        wanted, *parameters = (part.strip() for part in each.split(";"))
        rank = {media_type: 3, f"{kind}/*": 2, "*/*": 1}.get(wanted, 0)
        if rank:
            weights = [part[2:] for part in parameters if part.startswith("q=")]
            best = max(best, (rank, _number(weights[0]) if weights else 1.0))
    return best[1]


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
