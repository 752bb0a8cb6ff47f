"""pydantic models as typed query parameters of the user's own routes."""

import datetime
import inspect
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from fastapi_easy.interfaces.http.app import mount
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.query_params.query_params import QueryParams
from tests.unit.interfaces.http.library import Colour, app_of, client_of, kernel_of


class Range(BaseModel):
    low: int = 0
    high: int | None = None


class Address(BaseModel):
    city: str
    zip: str = ""


class Wish(BaseModel):
    q: str = ""
    number: Annotated[int, Field(ge=1, description="How many.")]
    price: Range = Range()
    address: Address | None = None
    tags: list[str] = []
    numbers: set[int] | None = None
    meta: dict[str, int] = {}
    colour: Colour = Colour.RED
    at: datetime.datetime | None = None
    page_size: int = Field(default=5, alias="pageSize")
    method: str = ""

    @field_validator("method", mode="after")
    @classmethod
    def _from_the_request(cls, value: str, info: ValidationInfo) -> str:
        return value or str(info.context["request"].method)

    model_config = {"validate_default": True}


class Strict(BaseModel, extra="forbid"):
    where: Address


async def wishes(wish: Annotated[Wish, QueryParams[Wish]], other: int = 0) -> dict[str, Any]:
    return {**wish.model_dump(mode="json", exclude_unset=True), "method": wish.method, "other": other}


def app() -> FastAPI:
    made = app_of(kernel=kernel_of())
    made.get("/wishes")(wishes)

    @made.get("/strict")
    async def strict(wish: Annotated[Strict, QueryParams[Strict]]) -> Strict:
        return wish

    return made


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app()) as opened:
        yield opened


async def test_every_shape_is_read(client: httpx2.AsyncClient) -> None:
    query = (
        "number=3&q=red+shoes&price.low=5&address.city=Paris&tags=a&tags=b&numbers=1&numbers=1"
        "&meta[shelf]=3&meta.row=4&colour=blue&at=2026-01-01T00:00:00Z&pageSize=9&other=7"
    )

    assert (await client.get(f"/wishes?{query}")).json() == {
        "number": 3,
        "q": "red shoes",
        "price": {"low": 5},
        "address": {"city": "Paris"},
        "tags": ["a", "b"],
        "numbers": [1],
        "meta": {"shelf": 3, "row": 4},
        "colour": "blue",
        "at": "2026-01-01T00:00:00Z",
        "page_size": 9,
        "method": "GET",
        "other": 7,
    }


async def test_what_is_left_out_keeps_its_default(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/wishes?number=1&unknown=x")).json() == {
        "number": 1,
        "method": "GET",
        "other": 0,
    }


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        pytest.param("", "/number", "missing", id="missing"),
        pytest.param("number=0", "/number", "greater_than_equal", id="a rule"),
        pytest.param("number=x", "/number", "int_parsing", id="no number"),
        pytest.param("number=1&number=2", "/number", "multiple_values", id="twice"),
        pytest.param("number=1&address.zip=x", "/address/city", "missing", id="missing within"),
        pytest.param("number=1&price.high=x", "/price/high", "int_parsing", id="no number within"),
        pytest.param("number=1&meta[a]=x", "/meta/a", "int_parsing", id="no number in a dictionary"),
        pytest.param("number=1&meta[a]=1&meta.a=2", "/meta/a", "multiple_values", id="a name twice"),
        pytest.param("number=1&price=5", "/price", "model_type", id="a value for a model"),
        pytest.param("number=1&q=%00", "", "string_unicode", id="NUL"),
        pytest.param("number=1&q=%ff", "", "string_unicode", id="no UTF-8"),
        pytest.param("&".join(["tags=x"] * 1001), "", "too_many", id="too many"),
    ],
)
async def test_what_cannot_be_read_is_422(
    client: httpx2.AsyncClient, query: str, pointer: str, code: str
) -> None:
    refused = await client.get(f"/wishes?{query}")

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    faults = [(each["in"], each["pointer"], each["code"]) for each in refused.json()["errors"]]
    assert faults == [("query", pointer, code)] or (code == "too_many" and faults[0][1] == "/number")


async def test_a_model_that_forbids_extras_is_obeyed(client: httpx2.AsyncClient) -> None:
    accepted = await client.get("/strict?where.city=Paris")
    refused = await client.get("/strict?where.city=Paris&nope=1")

    assert accepted.json() == {"where": {"city": "Paris", "zip": ""}}
    assert refused.json()["errors"][0]["code"] == "extra_forbidden"


def test_the_documentation_knows_every_parameter() -> None:
    parameters = {each["name"]: each for each in app().openapi()["paths"]["/wishes"]["get"]["parameters"]}

    assert set(parameters) == {
        *("q", "number", "price.low", "price.high", "address.city", "address.zip", "tags", "numbers", "meta"),
        *("colour", "at", "pageSize", "method", "other"),
    }
    assert parameters["number"]["required"]
    assert parameters["number"]["schema"]["minimum"] == 1
    assert parameters["number"]["description"] == "How many."
    assert not parameters["address.city"]["required"]
    assert parameters["tags"]["schema"]["type"] == "array"
    assert parameters["colour"]["schema"]["enum"] == ["red", "blue"]
    assert parameters["pageSize"]["schema"]["default"] == 5
    assert (parameters["meta"]["style"], parameters["meta"]["explode"]) == ("deepObject", True)


def test_a_model_is_looked_at_once_and_the_endpoint_stays_as_it_is() -> None:
    assert QueryParams[Wish].dependency is QueryParams[Wish].dependency
    assert list(inspect.signature(wishes).parameters) == ["wish", "other"]


async def test_a_plain_app_answers_in_its_own_way() -> None:
    plain = FastAPI()
    plain.get("/wishes")(wishes)
    mount(plain, kernel_of(), HttpOptions())
    async with client_of(plain) as client:
        refused = await client.get("/wishes?number=x")

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "number"]


def test_what_no_query_string_can_spell_is_refused_at_once() -> None:
    class Many(BaseModel):
        addresses: list[Address]

    with pytest.raises(TypeError, match="list of models"):
        QueryParams[Many]
    with pytest.raises(TypeError, match="pydantic model"):
        QueryParams[int]
