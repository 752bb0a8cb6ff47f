"""Callers who call too often are refused, whatever door they come through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import Header

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Principal, RateLimited
from fastapi_easy.settings import DatabaseSettings, HttpSettings, LimitSettings, RateRuleSettings, Settings
from tests.services.wanted import empty_database


@dataclass
class Note:
    text: str
    id: int | None = None


class Shop(Container):
    notes = resource(Note)
    pens = resource(Note)


def shop(*rules: dict[str, Any], http: HttpSettings | None = None, **limits: Any) -> Container:
    """A shop with rate limits; a day is a window that no test outlives."""
    read = tuple(RateRuleSettings.model_validate(each) for each in rules)
    databases = {"default": DatabaseSettings.model_validate({"url": "memory://"})}
    return Shop(
        settings=Settings(
            databases=databases, http=http or HttpSettings(), limits=LimitSettings(rules=read, **limits)
        )
    )


async def caller(name: str) -> Principal | None:
    return Principal(id=name, tenant=name[:1]) if name else None


@asynccontextmanager
async def client_of(container: Container, peer: str = "10.1.1.1") -> AsyncIterator[httpx2.AsyncClient]:
    async def principal(x_name: str = Header("")) -> Principal | None:
        return await caller(x_name)

    app = create_app(container, principal=principal)
    transport = httpx2.ASGITransport(app, client=(peer, 1))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as client,
    ):
        yield client


async def statuses(client: httpx2.AsyncClient, count: int, path: str = "/notes", **headers: str) -> list[int]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return [(await client.get(path, headers=sent)).status_code for _ in range(count)]


async def test_answers_tell_what_is_left_and_when_there_is_more() -> None:
    async with client_of(shop({"rate": "2/day"})) as client:
        answers = [await client.get("/notes") for _ in range(3)]

    left = [
        (each.status_code, each.headers["ratelimit-limit"], each.headers["ratelimit-remaining"])
        for each in answers
    ]
    assert left == [(200, "2", "1"), (200, "2", "0"), (429, "2", "0")]
    assert all(0 < int(each.headers["ratelimit-reset"]) <= 86_400 for each in answers)
    assert int(answers[2].headers["retry-after"]) > 0
    assert answers[2].json()["code"] == "rate_limited"
    assert "retry-after" not in answers[0].headers


async def test_what_no_rule_counts_is_not_limited_and_tells_nothing() -> None:
    async with client_of(
        shop(
            {"rate": "1/day", "permissions": ["notes:create"]},
            {"rate": "1/day", "permissions": ["pens:read"]},
        )
    ) as client:
        assert await statuses(client, 3) == [200, 200, 200]
        assert "ratelimit-limit" not in (await client.get("/notes")).headers
        assert await statuses(client, 2, "/pens") == [200, 429]
        created = [(await client.post("/notes", json={"text": "a"})).status_code for _ in range(2)]
    assert created == [201, 429]


@pytest.mark.parametrize(
    ("by", "independent", "shared"),
    [("principal", "adam", "ada"), ("tenant", "bob", "adam"), ("address", "", "bob")],
)
async def test_calls_are_counted_by_whom_the_rule_names(by: str, independent: str, shared: str) -> None:
    async with client_of(shop({"rate": "2/day", "by": by})) as client:
        assert await statuses(client, 1, x_name="ada") == [200]
        assert await statuses(client, 2, x_name=shared) == [200, 429]
        expected = [429] if by == "address" else [200]
        assert await statuses(client, 1, x_name=independent) == expected


async def test_every_rule_has_to_permit_a_call_and_the_tightest_is_told() -> None:
    async with client_of(shop({"rate": "9/day"}, {"rate": "2/day", "by": "address"})) as client:
        assert (await client.get("/notes")).headers["ratelimit-limit"] == "2"
        assert await statuses(client, 2) == [200, 429]


async def test_a_bulk_counts_as_many_calls_as_it_has_items() -> None:
    body = {"items": [{"create": {"text": "a"}}] * 3}
    async with client_of(shop({"rate": "4/day", "permissions": ["notes:bulk"]})) as client:
        first = await client.post("/notes/bulk", json=body)
        second = await client.post("/notes/bulk", json=body)
        total = (await client.get("/notes?count=exact")).json()["total"]

    assert (first.headers["ratelimit-remaining"], second.status_code, total) == ("1", 429, 3)


async def test_a_program_without_http_is_limited_by_its_principal() -> None:
    async with open_kernel(shop({"rate": "1/day"})) as kernel:
        ada = kernel.acting_as(Principal(id="ada"))
        assert (await ada.notes.count()).unwrap() == 0
        assert isinstance((await ada.notes.count()).failure(), RateLimited)
        # The application's own code says neither who calls nor from where.
        assert [(await kernel.notes.count()).unwrap() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("10.1.1.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("10.1.1.1", "203.0.113.7, 10.2.2.2", "203.0.113.7"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
    ],
    ids=["the last address is the proxy's word", "trusted proxies in a row", "nobody believes a stranger"],
)
async def test_the_address_is_that_which_trusted_proxies_say(peer: str, forwarded: str, counted: str) -> None:
    http = HttpSettings(trusted_proxies=("10.0.0.0/8",))
    async with client_of(shop({"rate": "2/day", "by": "address"}, http=http), peer) as client:
        assert await statuses(client, 1, x_forwarded_for=forwarded) == [200]
        others = await statuses(client, 1, x_forwarded_for=f"9.9.9.9, {counted}")
        assert others == [200]
        # Both came from one address: unless the peer is trusted, from the peer's.
        assert await statuses(client, 1, x_forwarded_for=f"8.8.8.8, {counted}") == [429]


async def test_without_trusted_proxies_what_callers_say_of_their_address_is_ignored() -> None:
    async with client_of(shop({"rate": "1/day", "by": "address"})) as client:
        assert await statuses(client, 1, x_forwarded_for="1.1.1.1") == [200]
        assert await statuses(client, 1, x_forwarded_for="2.2.2.2", forwarded="for=3.3.3.3") == [429]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"rate": "1/day", "permissions": ["books:read"]}, "'books:read' counts nothing"),
        ({"rate": "1/day", "permissions": ["notes:raed"]}, "'notes:raed' counts nothing"),
    ],
)
def test_a_rule_that_counts_nothing_is_a_mistake(rule: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DeclarationError, match=sentence):
        create_app(shop(rule))


@pytest.mark.parametrize("rate", ["", "5", "0/day", "5/fortnight", "5/0 days", "-1/day"])
def test_a_rate_is_so_many_calls_in_a_time(rate: str) -> None:
    with pytest.raises(ValueError, match="is not a rate: write 100/minute"):
        RateRuleSettings(rate=rate)


async def test_processes_count_together_in_redis() -> None:
    rule = {"rate": "3/day", "permissions": ["notes:*"]}
    with empty_database("redis") as url:
        own: dict[str, Any] = {"url": url, "timeout": 30.0}
        async with client_of(shop(rule, **own)) as one, client_of(shop(rule, **own)) as other:
            assert await statuses(one, 2) == [200, 200]
            assert await statuses(other, 2) == [200, 429]


async def test_a_counter_that_does_not_answer_refuses_nobody() -> None:
    async with client_of(shop({"rate": "1/day"}, url="redis://127.0.0.1:1/0")) as client:
        assert await statuses(client, 3) == [200, 200, 200]


async def test_a_request_with_too_many_headers_is_refused() -> None:
    async with client_of(shop()) as client:
        few = await client.get("/notes", headers={f"x-{number}": "" for number in range(80)})
        many = await client.get("/notes", headers={f"x-{number}": "" for number in range(1000)})

    assert (few.status_code, many.status_code, many.json()["code"]) == (200, 431, "too_many_headers")


async def test_the_document_says_that_calls_are_limited_where_they_are() -> None:
    async with client_of(shop({"rate": "9/day"})) as limited, client_of(shop()) as free:
        found = [(await each.get("/openapi.json")).json() for each in (limited, free)]

    assert ["429" in each["paths"]["/notes"]["get"]["responses"] for each in found] == [True, False]
