"""What OpenTelemetry is told of a request: its span, that of the use case, and those of the statements."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dependency_injector import providers
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel
from sqlmodel import Field, SQLModel
from tortoise import Model, fields

from fastapi_easy.application import Context, Kernel
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Error, Key, NotFound, Outcome, OutcomeUnknown, Unavailable
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.infrastructure.observation.open_telemetry import OpenTelemetryTracer
from fastapi_easy.messaging import ReceivedMessage, consume
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing import FailingRepository
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, SQL_STORES, empty_store
from tests.services.wanted import empty_database


@dataclass(frozen=True)
class Ask:
    """Ask whose span this is part of."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[None]:
        """Fail."""
        raise ZeroDivisionError


class Book(SQLModel, table=True):
    """For sale."""

    __tablename__ = "traced_book"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(unique=True, max_length=100)


class Receipt(SQLModel, table=True):
    """That a book was created."""

    __tablename__ = "traced_receipt"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=100)


class Note(BaseModel):
    """Written down."""

    id: str | None = None
    text: str


class Pen(Model):
    """Of Tortoise's."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=20)


class Shop(Container):
    books = resource(Book, actions=[Ask])


class Notes(Container):
    notes = resource(Note)


class Pens(Container):
    pens = resource(Pen)


class Traced:
    """A shop whose spans are kept."""

    def __init__(self, container: Any, client: httpx2.AsyncClient, exporter: InMemorySpanExporter) -> None:
        self.container = container
        self.client = client
        self._exporter = exporter

    async def spans(self, method: str, path: str, body: Any = None) -> list[ReadableSpan]:
        """The spans of one request, in the order in which they ended."""
        self._exporter.clear()
        _ = await self.client.request(method, path, json=body)
        return list(self._exporter.get_finished_spans())


@asynccontextmanager
async def traced(container: Any, url: str, **overriding: Any) -> AsyncIterator[Traced]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(databases={"default": DatabaseSettings.model_validate({"url": url})})
    shop = container(settings=settings, tracer=OpenTelemetryTracer(provider), **overriding)
    async with client_of(create_app(shop, telemetry={"tracer_provider": provider})) as client:
        yield Traced(shop, client, exporter)


def names(spans: list[ReadableSpan]) -> list[str]:
    return [each.name for each in spans]


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


SYSTEMS = {"sqlite": "sqlite", "postgres": "postgresql", "mariadb": "mariadb"}


@pytest.mark.parametrize("store", SQL_STORES)
async def test_a_request_is_its_use_case_and_its_statements(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with traced(Shop, url) as shop:
            _ = await shop.spans("POST", "/books", {"title": "Persuasion"})

            statement, use_case, request = await shop.spans("GET", "/books/1")

    assert names([statement, use_case, request]) == ["SELECT traced_book", "books.get", "GET /books/{key}"]
    assert [each.kind for each in (statement, use_case)] == [SpanKind.CLIENT, SpanKind.INTERNAL]
    assert statement.parent is not None
    assert use_case.parent is not None
    assert statement.parent.span_id == use_case.get_span_context().span_id
    assert use_case.parent.span_id == request.get_span_context().span_id
    told = attributes(statement)
    assert told["db.system.name"] == SYSTEMS[store]
    assert (told["db.operation.name"], told["db.collection.name"]) == ("SELECT", "traced_book")
    assert told["db.query.text"].startswith("SELECT traced_book.id")
    assert "Persuasion" not in str(told)


class Receipts(Container):
    """Whose books, once created, are noted by a consumer."""

    books = resource(Book, events=True)
    receipts = resource(Receipt)


async def note_receipt(message: ReceivedMessage, _: Kernel, work: UnitOfWork) -> Outcome[Any]:
    return await work.repository("receipts").add({"title": message.data["values"]["title"]})


async def test_a_trace_goes_on_from_the_request_through_the_outbox_to_the_consumer(tmp_path: Path) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings.model_validate(
        {
            "databases": {"default": {"url": f"sqlite:///{tmp_path / 'shop.sqlite3'}"}},
            "events": {"broker_url": "memory://", "relay": "embedded", "consume": "embedded"},
        }
    )
    shop = Receipts(
        settings=settings,
        tracer=OpenTelemetryTracer(provider),
        consumers=[consume("books.created", handle=note_receipt, group="receipts")],
    )

    async with client_of(create_app(shop, telemetry={"tracer_provider": provider})) as client:
        _ = await client.post("/books", json={"title": "Emma"})
        async with asyncio.timeout(60):
            while not (await client.get("/receipts")).json()["items"]:  # noqa: ASYNC110 (it has no event)
                await asyncio.sleep(0.02)

    spans = {each.get_span_context().span_id: each for each in exporter.get_finished_spans()}
    (process,) = (each for each in spans.values() if each.name == "process books.created")
    assert process.parent is not None
    assert process.parent.is_remote
    writer = spans[process.parent.span_id]
    assert writer.name == "books.create"
    assert process.get_span_context().trace_id == writer.get_span_context().trace_id
    noted = [each.name for each in spans.values() if _is_below(each, process, spans)]
    assert "INSERT traced_receipt" in noted


def _is_below(span: ReadableSpan, above: ReadableSpan, spans: Mapping[int, ReadableSpan]) -> bool:
    """Whether *above* is one of those that *span* is a part of."""
    parent = None if span.parent is None else spans.get(span.parent.span_id)
    return parent is not None and (parent is above or _is_below(parent, above, spans))


# Through asyncpg many rows are one statement (ADR 24).
@pytest.mark.parametrize(("driver", "rows"), [("asyncpg", None), ("psycopg", 2)])
async def test_several_changes_are_one_transaction(driver: str, rows: int | None) -> None:
    items = [{"create": {"title": title}} for title in ("a", "b")]
    with empty_database("postgres") as url:
        async with traced(Shop, url.replace("postgresql://", f"postgresql+{driver}://")) as shop:
            _ = await shop.spans("POST", "/books", {"title": "first"})

            spans = await shop.spans("POST", "/books/bulk", {"items": items})

    assert names(spans) == ["BEGIN", "INSERT traced_book", "COMMIT", "books.bulk", "POST /books/bulk"]
    assert attributes(spans[1]).get("db.operation.batch.size") == rows


async def test_a_refusal_is_named_and_no_defect(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with traced(Shop, url) as shop:
            _ = await shop.spans("POST", "/books", {"title": "same"})

            spans = await shop.spans("POST", "/books", {"title": "same"})

    statement, use_case, _ = spans
    assert attributes(statement)["error.type"] == "sqlalchemy.exc.IntegrityError"
    assert statement.status.status_code is StatusCode.ERROR
    assert attributes(use_case)["error.type"] == "already_exists"
    assert use_case.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (Unavailable("default"), "unavailable", StatusCode.ERROR),
        (OutcomeUnknown("default"), "outcome_unknown", StatusCode.ERROR),
        (NotFound("books", 1), "not_found", StatusCode.UNSET),
    ],
    ids=lambda each: each.code if hasattr(each, "code") else "",
)
async def test_only_what_is_not_the_callers_is_an_error(error: Error, kind: str, status: StatusCode) -> None:
    async with traced(Shop, "memory://") as shop:
        failing = providers.Factory(FailingRepository, error=error)
        with shop.container.books.repository.override(failing):
            use_case, _ = await shop.spans("GET", "/books/1")

    assert (attributes(use_case)["error.type"], use_case.status.status_code) == (kind, status)


async def test_an_exception_is_named(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with traced(Shop, url) as shop:
            _ = await shop.spans("POST", "/books", {"title": "a"})

            spans = await shop.spans("POST", "/books/1/ask", {})

    use_case = next(each for each in spans if each.name == "books.ask")
    assert attributes(use_case)["error.type"] == "builtins.ZeroDivisionError"
    assert use_case.status.status_code is StatusCode.ERROR
    # What it says may be about anybody.
    assert use_case.events == ()


async def test_an_export_belongs_to_its_request(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with traced(Shop, url) as shop:
            spans = await shop.spans("GET", "/books/export?as=csv")

    assert {"books.export", "GET /books/export"} < set(names(spans))
    assert len({each.get_span_context().trace_id for each in spans}) == 1


async def test_health_checks_leave_no_spans(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with traced(Shop, url) as shop:
            spans = await shop.spans("GET", "/health/ready")

    assert [each for each in spans if each.kind is SpanKind.CLIENT] == []


async def test_the_models_of_tortoise_are_asked_for_in_spans(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with traced(Pens, url) as shop:
            spans = await shop.spans("GET", "/pens")

    assert names(spans) == ["SELECT pen", "pens.list", "GET /pens"]


@pytest.mark.parametrize("scheme", ["mongodb://", "mongodb+motor://"])
async def test_commands_to_mongodb_are_spans(scheme: str) -> None:
    with empty_database(MONGO) as url:
        async with traced(Notes, url.replace("mongodb://", scheme)) as shop:
            made = await shop.spans("POST", "/notes", {"text": "t"})
            read = await shop.spans("GET", "/notes")
            bulk = await shop.spans("POST", "/notes/bulk", {"items": [{"create": {"text": "u"}}] * 2})

    assert names(made)[-2:] == ["notes.create", "POST /notes"]
    assert "insert note" in names(made)
    assert names(read) == ["find note", "notes.list", "GET /notes"]
    assert "commitTransaction" in names(bulk)
    told = attributes(read[0])
    assert (told["db.system.name"], told["db.operation.name"]) == ("mongodb", "find")
    assert (told["db.collection.name"], told["db.namespace"]) == (
        "note",
        url.rpartition("/")[2].split("?")[0],
    )


@pytest.mark.parametrize(("telemetry", "is_there"), [("off", False), ("auto", False), ("on", True)])
def test_nothing_is_traced_unless_enabled(telemetry: Any, is_there: bool) -> None:
    shop: Any = Shop

    tracer = shop(settings=Settings(telemetry=telemetry)).tracer()

    assert (tracer is not None) is is_there


def test_what_is_configured_at_start_is_found() -> None:
    program = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "from fastapi_easy.container import Container\n"
        "print(type(Container().tracer()).__name__)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "OpenTelemetryTracer"
