"""A FastAPI that has lost a private name of its telemetry: requests are answered, and reported without a route."""

import fastapi.telemetry._api
import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fastapi_easy.bootstrap import create_app
from fastapi_easy.interfaces.http import app as apps
from fastapi_easy.interfaces.http import fastapi_internals
from fastapi_easy.interfaces.http.fastapi_internals import telemetry_switch
from fastapi_easy.testing import in_memory
from tests.unit.interfaces.http.library import client_of
from tests.unit.interfaces.http.shop import Shop


async def spans_of_a_request(**options) -> list[str]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(in_memory(Shop), telemetry={"tracer_provider": provider}, **options)
    async with client_of(app) as client:
        assert (await client.get("/books")).status_code == httpx2.codes.OK
    return [span.name for span in exporter.get_finished_spans()]


async def test_with_every_name_a_request_is_called_by_its_route():
    assert "GET /books" in await spans_of_a_request()


async def test_a_request_is_reported_without_its_route(monkeypatch):
    with monkeypatch.context() as gone:
        gone.delattr(fastapi.telemetry._api, "_route_selected")
        monkeypatch.setattr(fastapi_internals, "_SELECT", fastapi_internals._selector())

    assert await spans_of_a_request() == ["GET"]


@pytest.mark.parametrize("module", ["fastapi.telemetry.gone", "fastapi.gone"])
def test_a_module_that_is_gone_has_no_selector(monkeypatch, module: str):
    monkeypatch.setattr(fastapi_internals, "_MODULE", module)

    assert fastapi_internals._selector() is None


async def test_every_request_is_left_to_fastapi(monkeypatch):
    app = FastAPI()
    del app._native_telemetry
    switch = telemetry_switch(app)
    assert switch()
    monkeypatch.setattr(apps, "telemetry_switch", lambda _: switch)

    assert "GET /books" in await spans_of_a_request()
