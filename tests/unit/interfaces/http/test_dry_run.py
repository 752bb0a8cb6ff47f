"""Preferences about the answer to a change; dry runs above all."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from fastapi_easy.interfaces.http.requests.preferences import MOST_EVENTS
from tests.unit.interfaces.http.shop import Bench, bench

DRY = {"Prefer": "tx=rollback"}


@pytest.fixture
async def shop() -> AsyncIterator[Bench]:
    async with bench() as opened:
        await opened.put("books", isbn="a", title="There")
        await opened.put("books", isbn="gone", title="Deleted")
        await opened.client.delete("/books/2")
        assert opened.published()
        yield opened


BODY = {"isbn": "b", "title": "New"}
CHANGES = {
    "create": ("POST", "/books", BODY, "books.created"),
    "upsert as create": ("POST", "/books/upsert", BODY, "books.created"),
    "upsert as change": ("POST", "/books/upsert", {"isbn": "a", "title": "New"}, "books.updated"),
    "replace": ("PUT", "/books/1", BODY, "books.updated"),
    "update": ("PATCH", "/books/1", {"title": "New"}, "books.updated"),
    "delete": ("DELETE", "/books/1", None, "books.deleted"),
    "restore": ("POST", "/books/2/restore", None, "books.restored"),
    "purge": ("POST", "/books/2/purge", None, "books.purged"),
    "action": ("POST", "/books/1/sell", {}, "books.updated"),
    "bulk": (
        "POST",
        "/books/bulk",
        {"items": [{"create": BODY}, {"delete": {"key": 1}}]},
        "books.created, books.deleted",
    ),
    "bulk of single changes": (
        "POST",
        "/books/bulk",
        {"items": [{"create": BODY}, {"delete": {"key": 1}}], "atomic": False},
        "books.created, books.deleted",
    ),
}


async def send(shop: Bench, change: tuple[Any, ...], prefer: str | None) -> httpx2.Response:
    method, path, body, _ = change
    headers = {} if prefer is None else {"Prefer": prefer}
    return await shop.client.request(method, path, json=body, headers=headers)


async def everything(shop: Bench) -> list[Any]:
    page = await shop.client.get("/books?sort=id")
    gone = await shop.client.post("/books/2/restore", headers=DRY)
    return [page.json(), gone.status_code]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_dry_run_answers_the_same_and_changes_nothing(shop: Bench, change: tuple[Any, ...]) -> None:
    before = await everything(shop)

    dry = await send(shop, change, "tx=rollback")

    assert await everything(shop) == before
    assert shop.published() == []
    assert dry.headers["preference-applied"] == "tx=rollback"
    assert dry.headers.get("withheld-events") == change[3]
    assert not {"location", "etag"} & dry.headers.keys()
    real = await send(shop, change, None)
    assert dry.status_code == real.status_code
    assert _told(dry) == _told(real)
    assert await everything(shop) != before
    assert ", ".join(shop.published()) == (change[3] or "")


def _told(response: httpx2.Response) -> Any:
    """What the body says, but for tags; a key that the store made in a dry run is not made again."""
    if not response.content:
        return None
    answer = response.json()
    results = answer.get("results", ())
    for each in results:
        each.pop("etag", None)
    for each in (answer, *results, *(each["entity"] for each in results if "entity" in each)):
        each |= {name: "new" for name in ("id", "key") if each.get(name, 0) > 2}
    return answer


async def test_a_dry_run_is_refused_like_a_change(shop: Bench) -> None:
    refused = await shop.client.post("/books", json={"isbn": "a", "title": "Again"}, headers=DRY)
    stale = await shop.client.patch("/books/1", json={}, headers={**DRY, "If-Match": '"9"'})

    assert (refused.status_code, refused.json()["code"]) == (409, "already_exists")
    assert "preference-applied" not in refused.headers
    assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')


@pytest.mark.parametrize(
    ("prefer", "status", "applied"),
    [
        pytest.param("return=minimal, tx=rollback", 204, "return=minimal, tx=rollback", id="both"),
        pytest.param(
            'tx="rollback";x=1 , return = "minimal"', 204, "return=minimal, tx=rollback", id="spelt"
        ),
        pytest.param("TX=Rollback, respond-async", 200, "tx=rollback", id="whatever the case"),
        pytest.param("tx=rollback, tx=rollback", 200, "tx=rollback", id="twice the same"),
        pytest.param('x="tx=commit, tx=rollback"', 200, None, id="in a string"),
        pytest.param("tx=commit", 200, None, id="a real change"),
        pytest.param("return=representation", 200, None, id="the usual"),
        pytest.param("return=representation, return=minimal", 200, None, id="the first counts"),
        pytest.param("return=minimal", 204, "return=minimal", id="nothing back"),
        pytest.param(', ;;="', 200, None, id="rubbish"),
    ],
)
async def test_preferences_are_read_as_rfc_7240_says(
    shop: Bench, prefer: str, status: int, applied: str | None
) -> None:
    answer = await shop.client.patch("/books/1", json={"title": "New"}, headers={"Prefer": prefer})

    assert (answer.status_code, answer.headers.get("preference-applied")) == (status, applied)
    found = (await shop.client.get("/books/1")).json()["title"]
    assert found == ("There" if applied and "tx" in applied else "New")


@pytest.mark.parametrize("prefer", ["tx=maybe", "tx", "tx=", "tx=rollback, tx=commit", "tx=roll back"])
async def test_who_leaves_open_whether_to_change_is_refused(shop: Bench, prefer: str) -> None:
    before = await everything(shop)

    for change in CHANGES.values():
        refused = await send(shop, change, prefer)

        assert (refused.status_code, refused.json()["code"]) == (400, "bad_preference")
        assert refused.json()["errors"][0]["in"] == "header"
    assert await everything(shop) == before


async def test_many_events_are_not_all_named(shop: Bench) -> None:
    items = [{"create": {"isbn": f"n{n}", "title": "T"}} for n in range(MOST_EVENTS + 1)]

    answer = await shop.bulk(*items, headers=DRY)

    names = answer.headers["withheld-events"].split(", ")
    assert names == [*["books.created"] * MOST_EVENTS, "..."]


async def test_reads_do_not_look_at_preferences(shop: Bench) -> None:
    assert (await shop.client.get("/books/1", headers={"Prefer": "tx=maybe"})).status_code == 200
