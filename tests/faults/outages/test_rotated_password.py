"""A password that is changed while a program runs: it says so, and goes on once both agree again."""

import logging
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.interfaces.http import health
from tests.e2e.serving import client_of
from tests.faults.outages.accounts import FIRST, SECOND, STORES, account_on
from tests.faults.outages.parcels import post_at
from tests.thorough import only_when_thorough
from tests.wire import wired

REFUSES: Final = "refuses the user or the password"


@pytest.fixture(autouse=True)
def _checks_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_CACHE_SECONDS", 0.0)


async def answers(client: httpx2.AsyncClient) -> list[httpx2.Response]:
    """What callers and probes are told."""
    return [
        await client.get("/parcels"),
        await client.post("/parcels", json={"name": "a"}),
        await client.get("/health/ready"),
    ]


@pytest.mark.parametrize(
    "driver",
    [
        "postgresql+asyncpg",
        "postgresql+psycopg",
        "mysql+asyncmy",
        pytest.param("mysql+aiomysql", marks=only_when_thorough),
        "mongodb",
        pytest.param("mongodb+motor", marks=only_when_thorough),
    ],
)
async def test_callers_are_told_later_and_probes_why(driver: str, caplog: pytest.LogCaptureFixture) -> None:
    with account_on(STORES[driver.partition("+")[0]]) as account:
        async with (
            wired(account.url_with(driver)) as (url, wire),
            client_of(create_app(post_at(url))) as client,
        ):
            before = await answers(client)
            account.rotate(SECOND)
            wire.reset()
            with caplog.at_level(logging.INFO):
                refused = await answers(client)
            account.rotate(FIRST)
            after = await answers(client)

    assert [each.status_code for each in before] == [200, 201, 200]
    assert [each.status_code for each in refused] == [503, 503, 503]
    assert {each.json()["detail"] for each in refused[:2]} == {
        "A dependency refuses this application; nothing was changed."
    }
    assert all(each.headers["retry-after"] for each in refused[:2])
    ready = refused[2].json()
    assert (ready["status"], ready["dependencies"]["default"]["cause"]) == ("not ready", REFUSES)
    said = caplog.text + "".join(each.text for each in refused)
    assert "Traceback" not in said
    assert FIRST not in said
    assert SECOND not in said
    assert [each.status_code for each in after] == [200, 201, 200]


def file_of(driver: str, password: str) -> tuple[str, str]:
    """The word of a URL that names a file with the password, and what is in the file."""
    if driver.startswith("mysql"):
        return "read_default_file", f"[client]\npassword={password}\n"
    return "passfile", f"*:*:*:*:{password}\n"


@pytest.mark.parametrize(
    "driver",
    ["postgresql+asyncpg", "mysql+aiomysql", pytest.param("postgresql+psycopg", marks=only_when_thorough)],
)
async def test_a_password_in_a_file_is_read_anew_for_each_connection(driver: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    with account_on(STORES[driver.partition("+")[0]]) as account:
        word, content = file_of(driver, FIRST)
        _ = secret.write_text(content)
        parts = urlsplit(account.url_with(driver))
        netloc = f"{parts.username}@{parts.netloc.rpartition('@')[2]}"
        address = urlunsplit(parts._replace(netloc=netloc, query=f"{word}={secret}"))
        async with wired(address) as (url, wire), client_of(create_app(post_at(url))) as client:
            account.rotate(SECOND)
            wire.reset()
            refused = await client.get("/parcels")
            _ = secret.write_text(file_of(driver, SECOND)[1])
            found = await client.get("/parcels")

    assert (refused.status_code, found.status_code) == (503, 200)


async def test_where_some_are_required_the_others_leave_the_process_ready() -> None:
    with account_on("postgres") as account:
        url = account.url_with("postgresql+asyncpg", password=SECOND)
        shop = post_at(url, requires=("other",), migrations="off")
        async with client_of(create_app(shop)) as client:
            ready = await client.get("/health/ready")

    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["dependencies"]["default"]["cause"] == REFUSES
