"""A change with an `Idempotency-Key` is made once, and a retry gets the first answer, the same on every store."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.e2e.orders import STORES, key, order, orders

PATIENT = {"pool_timeout": 60.0, "queue_time": 60.0, "lock_timeout": 30.0}
"""However slow the machine is, nobody is sent away."""


@pytest.fixture(scope="module", params=STORES)
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    folder = tmp_path_factory.mktemp("orders")
    async with orders(request.param, folder, PATIENT, idempotency={"wait": 60.0}, deadline=120.0) as made:
        yield made


async def placed(client: httpx2.AsyncClient, **values: Any) -> Any:
    made = await client.post("/orders", json=order(**values))
    assert made.status_code == 201, made.text
    return made.json()


async def count(client: httpx2.AsyncClient, resource: str = "orders", **filters: Any) -> int:
    return int((await client.get(f"/{resource}/count", params=filters)).json()["count"])


def told(answer: httpx2.Response) -> tuple[Any, ...]:
    return (
        answer.status_code,
        answer.content,
        *(answer.headers.get(name) for name in ("location", "etag", "content-type")),
    )


async def test_a_retried_create_gets_the_first_answer(client: httpx2.AsyncClient) -> None:
    body = order(details={"b": [1, 2.5, None], "a": {"is": "x"}}, placed_at="2026-01-02T03:04:05.678Z")
    headers = key()

    first = await client.post("/orders", json=body, headers=headers)
    assert first.status_code == 201, first.text
    _ = await client.patch(first.headers["location"], json={"total": "100.00"})
    second = await client.post("/orders", json=dict(reversed(body.items())), headers=headers)

    assert told(second) == told(first)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert await count(client, number=body["number"]) == 1


async def test_fifty_retries_at_once_write_once(client: httpx2.AsyncClient) -> None:
    body, headers = order(), key()

    answers = await asyncio.gather(*(client.post("/orders", json=body, headers=headers) for _ in range(50)))

    assert {told(each) for each in answers} == {told(answers[0])}
    assert answers[0].status_code == 201, answers[0].text
    assert Counter(each.headers.get("idempotent-replayed") for each in answers) == {None: 1, "true": 49}
    assert await count(client, number=body["number"]) == 1


async def test_fifty_redemptions_of_one_coupon_redeem_it_once(client: httpx2.AsyncClient) -> None:
    coupon = {"coupon": order()["number"]}

    async def redeem(headers: dict[str, str]) -> httpx2.Response:
        answer = await client.post("/redemptions", json=coupon, headers=headers)
        if answer.status_code != 503:
            return answer
        # A busy machine refuses who would have to wait for too long, and tells them to come again.
        await asyncio.sleep(0.05)
        return await redeem(headers)

    answers = await asyncio.gather(*(redeem(key()) for _ in range(50)))

    assert Counter(each.status_code for each in answers) == {201: 1, 409: 49}
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"already_exists"}
    assert await count(client, "redemptions", **coupon) == 1


async def test_every_way_of_changing_is_made_once(client: httpx2.AsyncClient) -> None:
    made = await placed(client)
    path, number = f"/orders/{made['id']}", made["number"]
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"total": "1.00"}),
        ("PUT", path, {"number": number, "total": "2.00", "details": {"x": 1}}),
        ("POST", f"{path}/pay", {"note": "cash"}),
        ("POST", "/orders/upsert", {"number": number, "total": "3.00"}),
        ("POST", "/orders/upsert", order()),
        (
            "POST",
            "/orders/bulk",
            {"items": [{"create": order()}, {"update": {"key": made["id"], "set": {"total": "4.00"}}}]},
        ),
        ("DELETE", path, None),
        ("POST", f"{path}/restore", {}),
    ]

    for method, target, body in calls:
        headers = key()
        first, second = [await client.request(method, target, json=body, headers=headers) for _ in range(2)]
        assert first.is_success, (method, target, first.text)
        assert told(second) == told(first), (method, target)
        assert second.headers.get("idempotent-replayed") == "true", (method, target)

    assert (await client.get(path)).json()["version"] == 1 + len(calls) - 1


async def test_a_retry_with_the_old_version_is_no_stale_change(client: httpx2.AsyncClient) -> None:
    made = await client.post("/orders", json=order())
    headers = key(if_match=made.headers["etag"])

    first, second = [
        await client.patch(made.headers["location"], json={"total": "1.00"}, headers=headers)
        for _ in range(2)
    ]
    without_key = await client.patch(
        made.headers["location"], json={"total": "1.00"}, headers={"If-Match": made.headers["etag"]}
    )

    assert (first.status_code, without_key.status_code) == (200, 412)
    assert told(second) == told(first)


@pytest.mark.parametrize("if_match", ["*", '"a", "b"', 'W/"a"'])
async def test_a_precondition_that_changes_its_meaning_is_refused(
    client: httpx2.AsyncClient, if_match: str
) -> None:
    made = await placed(client)

    refused = await client.patch(
        f"/orders/{made['id']}", json={"total": "1.00"}, headers=key(if_match=if_match)
    )

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/idempotency-key")


async def test_another_call_with_the_same_key_is_refused(client: httpx2.AsyncClient) -> None:
    body, headers = order(), key()
    made = await client.post("/orders", json=body, headers=headers)

    others = [
        await client.post("/orders", json={**body, "total": "9.51"}, headers=headers),
        await client.post("/orders/upsert", json=body, headers=headers),
        await client.post("/redemptions", json={"coupon": "c"}, headers=headers),
        await client.delete(made.headers["location"], headers=headers),
    ]

    assert [(each.status_code, each.json()["code"]) for each in others] == [(422, "idempotency_mismatch")] * 4
    assert await count(client, number=body["number"]) == 1


async def test_a_key_belongs_to_one_caller_and_one_tenant(client: httpx2.AsyncClient) -> None:
    name = key()["Idempotency-Key"]
    callers = ["ada@acme", "bob@acme", "ada@other", "ada", ""]

    answers = [
        await client.post("/orders", json=order(), headers=key(name, **({"x_user": who} if who else {})))
        for who in callers
    ]

    assert [each.status_code for each in answers] == [201] * len(callers)


async def test_a_failure_is_not_remembered(client: httpx2.AsyncClient) -> None:
    taken, headers = await placed(client), key()
    body = {"number": taken["number"]}

    refused = await client.post("/orders", json=body, headers=headers)
    _ = await client.patch(f"/orders/{taken['id']}", json={"number": order()["number"]})
    made = await client.post("/orders", json=body, headers=headers)

    assert (refused.status_code, made.status_code) == (409, 201)
    assert "idempotent-replayed" not in made.headers


async def test_a_dry_run_neither_remembers_nor_repeats(client: httpx2.AsyncClient) -> None:
    body, headers = order(), key()
    dry = {**headers, "Prefer": "tx=rollback"}

    before = await client.post("/orders", json=body, headers=dry)
    made = await client.post("/orders", json=body, headers=headers)
    after = await client.post("/orders", json=body, headers=dry)

    assert (before.status_code, made.status_code, after.status_code) == (201, 201, 409)
    assert "idempotent-replayed" not in made.headers


async def test_what_is_made_durable_in_parts_takes_no_key(client: httpx2.AsyncClient) -> None:
    bulk = {"atomic": False, "items": [{"create": order()}]}

    refused = [
        await client.post("/orders/bulk", json=bulk, headers=key()),
        await client.post("/orders/import", content=b"", headers=key(content_type="application/x-ndjson")),
    ]

    assert [each.status_code for each in refused] == [422, 422], refused[1].text
    assert {each.json()["errors"][0]["pointer"] for each in refused} == {"/idempotency-key"}


async def test_a_failed_bulk_is_made_again(client: httpx2.AsyncClient) -> None:
    taken, headers = await placed(client), key()
    bulk = {"items": [{"create": order()}, {"create": {"number": taken["number"]}}]}

    refused = await client.post("/orders/bulk", json=bulk, headers=headers)
    _ = await client.patch(f"/orders/{taken['id']}", json={"number": order()["number"]})
    made = await client.post("/orders/bulk", json=bulk, headers=headers)

    assert (refused.status_code, made.status_code) == (409, 200)
