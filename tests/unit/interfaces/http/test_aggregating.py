"""Numbers about many entities, as JSON."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.unit.interfaces.http.library import EVERYTHING, app_of, book_resource, client_of


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource())) as opened:
        await opened.post("/books", json=EVERYTHING)
        await opened.post("/books", json={**EVERYTHING, "title": "Other", "price": "0.10", "rating": 1.5})
        await opened.post("/books", json={"title": "Bare", "price": "1.00"})
        yield opened


async def test_values_are_spelt_as_in_entities(client: httpx2.AsyncClient) -> None:
    groups = "colour,in_print,published,opens,added,reading_time,code"
    answer = await client.get(
        f"/books/aggregate?group_by={groups}&total=count,max:opens,max:code&title__ne=Bare"
    )

    kept = {name: EVERYTHING[name] for name in groups.split(",")}
    totals = {"count": 2, "max:opens": EVERYTHING["opens"], "max:code": EVERYTHING["code"]}
    assert answer.json() == {"items": [{"by": kept, "totals": totals}], "next_offset": None}


async def test_sums_are_exact_and_averages_are_of_their_kind(client: httpx2.AsyncClient) -> None:
    answer = await client.get(
        "/books/aggregate?total=sum:price&total=avg:price&total=sum:pages&total=avg:pages&total=avg:rating"
    )

    assert answer.json()["items"] == [
        {
            "by": {},
            "totals": {
                "sum:price": "13.60",
                "avg:price": "4.53333333",
                "sum:pages": 15,
                "avg:pages": "5.000000",
                "avg:rating": 3.0,
            },
        }
    ]


async def test_of_nothing_there_is_one_group_of_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/books/aggregate?title=nobody&total=count,sum:pages")

    assert answer.json()["items"] == [{"by": {}, "totals": {"count": 0, "sum:pages": None}}]
    assert (await client.get("/books/aggregate?title=nobody&group_by=colour")).json()["items"] == []


@pytest.mark.parametrize(
    ("limit", "offset", "expected"), [(1, 0, 1), (2, 0, None), (1, 1, None), (5, 0, None)]
)
async def test_next_offset_tells_whether_there_are_more(
    client: httpx2.AsyncClient, limit: int, offset: int, expected: int | None
) -> None:
    answer = await client.get(f"/books/aggregate?group_by=colour&limit={limit}&offset={offset}")

    assert answer.json()["next_offset"] == expected
    assert len(answer.json()["items"]) == min(limit, 2 - offset)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("total=sum:title", 400),
        ("group_by=,,", 400),
        ("group_by=", 200),
        ("group_by=secret", 400),
        ("group_by=extra", 400),
        ("sort=title", 400),
        ("nope=1", 400),
        ("limit=0", 422),
        ("price__gte=x", 422),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx2.AsyncClient, query: str, status: int) -> None:
    assert (await client.get(f"/books/aggregate?{query}")).status_code == status


async def test_large_sums_stay_whole() -> None:
    async with client_of(app_of(book_resource())) as client:
        for number in range(3):
            await client.post("/books", json={"title": str(number), "price": "99999999.99"})
        answer = await client.get("/books/aggregate?total=sum:price")

    assert answer.text.count('"299999999.97"') == 1
