"""A key has one spelling: at another one there is nothing, at every door of every store."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store

ONE = uuid.UUID("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d")


class SpelledAccount(SQLModel, table=True):
    """An account with a number."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    owner: str = "nobody"


class SpelledToken(SQLModel, table=True):
    """A token with an identifier."""

    id: uuid.UUID = Field(primary_key=True)
    account: int
    number: int


class SpelledSeat(SQLModel, table=True):
    """A seat in a row."""

    row: int = Field(primary_key=True)
    place: str = Field(primary_key=True, max_length=10)


class AccountDocument(BaseModel):
    """An account with a number."""

    id: int
    owner: str = "nobody"


class TokenDocument(BaseModel):
    """A token with an identifier."""

    id: uuid.UUID
    account: int
    number: int


class Shop(Container):
    """On stores with tables."""

    accounts = resource(SpelledAccount)
    tokens = resource(SpelledToken)
    seats = resource(SpelledSeat)


class DocumentShop(Container):
    """On stores of documents."""

    accounts = resource(AccountDocument)
    tokens = resource(TokenDocument)


@pytest.fixture(scope="module", params=[*EVERY_STORE, MONGO])
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    shop: Any = DocumentShop if request.param == MONGO else Shop
    with empty_store(request.param, tmp_path_factory.mktemp("spellings")) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
        async with client_of(create_app(shop(settings=settings))) as opened:
            for path, body in (
                ("/accounts", {"id": 1}),
                ("/accounts", {"id": 10}),
                ("/tokens", {"id": str(ONE), "account": 1, "number": 1}),
                ("/seats", {"row": 1, "place": "01"}),
            ):
                if path != "/seats" or request.param != MONGO:
                    made = await opened.post(path, json=body)
                    assert made.status_code == 201, made.text
            yield opened


@pytest.mark.parametrize(
    "path",
    [
        *("/accounts/01", "/accounts/0001", "/accounts/010"),
        *("/accounts/+1", "/accounts/%201", "/accounts/1%20", "/accounts/1_0", "/accounts/%EF%BC%91"),
        *(f"/tokens/{ONE.hex}", f"/tokens/%7B{ONE}%7D", f"/tokens/urn:uuid:{ONE}"),
    ],
)
async def test_nothing_is_at_another_spelling_of_a_key(client: httpx2.AsyncClient, path: str) -> None:
    answers = [
        await client.get(path),
        await client.patch(path, json={"account": 2} if "tokens" in path else {"owner": "somebody"}),
        await client.delete(path),
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(404, "not_found")] * 3
    assert (await client.get("/accounts?count=exact")).json()["total"] == 2
    assert (await client.get("/tokens?count=exact")).json()["total"] == 1


async def test_what_spells_no_number_at_all_is_refused(client: httpx2.AsyncClient) -> None:
    if (await client.get("/seats")).status_code == 404:
        pytest.skip("documents may have any key, which is looked for")

    answers = [await client.get(f"/accounts/{spelled}") for spelled in ("1.0", "0x1", "one")]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(422, "invalid")] * 3


async def test_a_key_is_found_at_its_own_spelling(client: httpx2.AsyncClient) -> None:
    paths = ["/accounts/1", "/accounts/10", f"/tokens/{ONE}", f"/tokens/{str(ONE).upper()}"]

    assert [(await client.get(path)).status_code for path in paths] == [200] * 4


async def test_filters_take_every_spelling_of_a_value(client: httpx2.AsyncClient) -> None:
    found = [
        (await client.get("/accounts", params={"id": "01"})).json()["items"],
        (await client.get("/tokens", params={"id": ONE.hex})).json()["items"],
    ]

    assert [[each["id"] for each in items] for items in found] == [[1], [str(ONE)]]


async def test_each_part_of_a_composite_key_has_one_spelling(client: httpx2.AsyncClient) -> None:
    if (await client.get("/seats")).status_code == 404:
        pytest.skip("documents have a key of one field here")

    paths = ["/seats/1,01", "/seats/01,01", "/seats/1,1"]

    assert [(await client.get(path)).status_code for path in paths] == [200, 404, 404]
