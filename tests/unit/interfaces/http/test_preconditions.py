"""ETags, and what callers make depend on them."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from fastapi_easy.interfaces.http.requests.preconditions import Tags, not_modified, read_tags
from tests.unit.interfaces.http.library import BOOK, app_of, book_resource, client_of

OTHER = '"000000000000000000000000"'


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource())) as opened:
        await opened.post("/books", json=BOOK)
        yield opened


async def current(client: httpx2.AsyncClient) -> str:
    return str((await client.get("/books/1")).headers["etag"])


@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("{}", 304, id="the same"),
        pytest.param("W/{}", 304, id="the same, weakly"),
        pytest.param(f"{OTHER}, {{}}", 304, id="one of several"),
        pytest.param("*", 304, id="any"),
        pytest.param(OTHER, 200, id="another"),
        pytest.param("nonsense", 200, id="no tag"),
        pytest.param("", 200, id="nothing"),
    ],
)
async def test_what_the_caller_has_is_not_sent_again(
    client: httpx2.AsyncClient, header: str, status: int
) -> None:
    etag = await current(client)

    answer = await client.get("/books/1", headers={"If-None-Match": header.format(etag)})

    assert answer.status_code == status
    assert answer.headers["etag"] == etag
    assert (answer.content == b"") is (status == 304)


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("{}", 200, id="the same"),
        pytest.param("*", 200, id="any"),
        pytest.param(f"{OTHER}, {{}}", 200, id="one of several"),
        pytest.param(OTHER, 412, id="another"),
        pytest.param(f'{OTHER}, "x"', 412, id="none of several"),
        pytest.param("W/{}", 412, id="weak tags never match"),
        pytest.param("nonsense", 412, id="no tag"),
        pytest.param('"x', 412, id="half a tag"),
    ],
)
async def test_a_change_is_made_to_the_version_it_is_based_on(
    client: httpx2.AsyncClient, method: str, header: str, status: int
) -> None:
    etag = await current(client)
    body = None if method == "DELETE" else BOOK

    answer = await client.request(method, "/books/1", json=body, headers={"If-Match": header.format(etag)})

    assert answer.status_code == (204 if (method, status) == ("DELETE", 200) else status)
    if status == 412:
        assert answer.json()["code"] == "stale"
        assert f'"{answer.json()["current_version"]}"' == answer.headers["etag"] == etag
    if status != 200:
        assert await current(client) == etag


async def test_a_change_that_must_not_meet_anything_meets_something(client: httpx2.AsyncClient) -> None:
    refused = await client.put("/books/1", json=BOOK, headers={"If-None-Match": "*"})

    assert refused.status_code == 412


async def test_what_is_not_there_is_404_whatever_it_should_match(client: httpx2.AsyncClient) -> None:
    for header in ("*", OTHER, f"{OTHER}, {OTHER}"):
        assert (await client.delete("/books/9", headers={"If-Match": header})).status_code == 404


async def test_a_second_change_on_the_same_version_is_stale(client: httpx2.AsyncClient) -> None:
    etag = await current(client)

    first = await client.patch("/books/1", json={"note": "first"}, headers={"If-Match": etag})
    second = await client.patch("/books/1", json={"note": "second"}, headers={"If-Match": etag})
    third = await client.patch(
        "/books/1", json={"note": "third"}, headers={"If-Match": first.headers["etag"]}
    )

    assert [first.status_code, second.status_code, third.status_code] == [200, 412, 200]


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        pytest.param(b"*", Tags(any=True), id="any"),
        pytest.param(b'"a"', Tags(strong=("a",)), id="one"),
        pytest.param(b'"a" , W/"b","c,d"', Tags(strong=("a", "c,d"), weak=("b",)), id="several"),
        pytest.param(b'""', Tags(strong=("",)), id="an empty one"),
        pytest.param(b"a, b", Tags(strong=("a", "b")), id="unquoted"),
        pytest.param(b'"a" "b"', Tags(strong=('"a" "b"',)), id="no comma"),
        pytest.param(b'w/"a"', Tags(strong=('w/"a"',)), id="the mark of weakness is a capital"),
    ],
)
def test_tags_are_read_as_rfc_9110_writes_them(header: bytes, tags: Tags) -> None:
    assert read_tags(header) == tags


def test_no_header_means_modified() -> None:
    assert not not_modified(None, "a")
