"""`/metrics` of a running application, there when the settings say so."""

import sys
from pathlib import Path

import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import DeclarationError
from fastapi_easy.settings import DatabaseSettings, HttpSettings, Settings
from tests.e2e.ledger import Ledger
from tests.e2e.serving import client_of


def settings(folder: Path, *, metrics: bool) -> Settings:
    url = f"sqlite:///{folder / 'shop.sqlite3'}"
    database = DatabaseSettings.model_validate({"url": url})
    return Settings(databases={"default": database}, http=HttpSettings(metrics=metrics))


async def test_calls_and_connections_are_reported(tmp_path: Path) -> None:
    async with client_of(create_app(Ledger(settings=settings(tmp_path, metrics=True)))) as client:
        await client.post("/entries", json={"code": "a", "text": "x", "amount": "1"})
        await client.get("/entries/nobody")
        answer = await client.get("/metrics")
        ready = await client.get("/health/ready")

    lines = answer.text.splitlines()
    called = "fastapi_easy_call_duration_seconds_count"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert f'{called}{{action="create",outcome="ok",resource="entries"}} 1.0' in lines
    assert f'{called}{{action="get",outcome="not_found",resource="entries"}} 1.0' in lines
    assert 'fastapi_easy_pool_in_use{database="default"} 0.0' in lines
    assert ready.json()["dependencies"]["default"]["pool"]["in_use"] == 0


async def test_without_the_setting_there_is_no_such_page(tmp_path: Path) -> None:
    async with client_of(create_app(Ledger(settings=settings(tmp_path, metrics=False)))) as client:
        assert (await client.get("/metrics")).status_code == 404


def test_without_the_library_the_start_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "fastapi_easy.infrastructure.observation.prometheus", raising=False)

    with pytest.raises(DeclarationError, match=r"pip install .fastapi_easy\[metrics\]"):
        create_app(Ledger(settings=settings(tmp_path, metrics=True)))
