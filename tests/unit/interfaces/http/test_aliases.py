"""Aliases on the user's own schemas, classes that take names besides, and names that cannot be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from pydantic import AliasChoices, AliasGenerator, AliasPath, BaseModel, ConfigDict, Field, computed_field
from pydantic.alias_generators import to_camel, to_pascal
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.application import NOBODY, CreateEntity
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Fields, Schemas
from fastapi_easy.testing import in_memory
from tests.unit.interfaces.http.library import client_of

CAMEL = ConfigDict(alias_generator=to_camel)
EITHER = ConfigDict(alias_generator=to_camel, populate_by_name=True)


@dataclass(kw_only=True)
class Book:
    """Can have no aliases of its own."""

    id: int | None = None
    title_text: str
    unit_price: Decimal = Decimal(1)
    extra_parts: dict[str, Any] | None = None


class Part(BaseModel):
    """Kept as JSON."""

    model_config = CAMEL

    part_number: int


class NewBook(BaseModel):
    """What a body looks like."""

    model_config = CAMEL

    title_text: str = Field(min_length=2)
    unit_price: Decimal = Decimal(2)
    extra_parts: Part | None = None
    is_sure: bool = Field(default=False, exclude=True)


class ChangedBook(BaseModel):
    """What a change looks like."""

    model_config = CAMEL

    title_text: str = ""


class ShownBook(BaseModel):
    """What an answer looks like."""

    model_config = CAMEL

    id: int
    title_text: str
    extra_parts: Part | None = None

    @computed_field
    @property
    def title_length(self) -> int:
        """A member that no store keeps."""
        return len(self.title_text)


@asynccontextmanager
async def opened(entity: type[Any], **options: Any) -> AsyncIterator[tuple[httpx2.AsyncClient, Any]]:
    """A shop of such books in memory, and its use cases."""
    shop = type("Shop", (Container,), {"books": resource(entity, **options)})
    container: Any = in_memory(shop)
    app = create_app(container)
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client, container.kernel().use_cases("books")


def mistakes_of(entity: type[Any], **options: Any) -> list[str]:
    with pytest.raises(DeclarationError) as refused:
        _ = create_app(in_memory(type("Shop", (Container,), {"books": resource(entity, **options)})))
    return list(refused.value.mistakes)


async def test_schemas_alone_can_say_what_fields_are_called() -> None:
    async with opened(Book, schemas=Schemas(create=NewBook)) as (client, books):
        made = await client.post("/books", json={"titleText": "Emma", "extraParts": {"partNumber": 1}})
        changed = await client.patch("/books/1", json={"unitPrice": "3.5"})
        page = await client.get("/books?unitPrice__gt=3&sort=titleText&fields=titleText,unitPrice")
        by_name = await books.create(CreateEntity({"title_text": "Ada", "is_sure": True}), NOBODY)
        refused = await client.post("/books", json={"title_text": "Emma", "isSure": True})

    assert made.status_code == 201, made.text
    assert made.json() == {
        "id": 1,
        "titleText": "Emma",
        "unitPrice": "2",
        "extraParts": {"partNumber": 1},
    }
    assert changed.json()["unitPrice"] == "3.5"
    assert page.json()["items"] == [{"titleText": "Emma", "unitPrice": "3.5"}]
    assert by_name.unwrap().title_text == "Ada"
    assert [(each["pointer"], each["message"]) for each in refused.json()["errors"]] == [
        ("/titleText", "Field required"),
        ("/title_text", "Extra inputs are not permitted; did you mean 'titleText'?"),
    ]


async def test_an_answer_is_called_as_its_schema_says_in_filters_and_files_too() -> None:
    async with opened(Book, schemas=Schemas(create=NewBook, update=ChangedBook, read=ShownBook)) as (
        client,
        _,
    ):
        made = await client.post("/books", json={"titleText": "Emma", "extraParts": {"partNumber": 1}})
        chosen = await client.get("/books?titleText=Emma&fields=titleText,extraParts")
        table = await client.get("/books/export?as=csv")
        part = await client.get("/books/export?as=csv&fields=titleText")
        changed = await client.patch("/books/1", json={"titleText": "Ada"})
        document = (await client.get("/openapi.json")).json()

    shown = {"id": 1, "titleText": "Emma", "extraParts": {"partNumber": 1}, "titleLength": 4}
    assert (made.status_code, made.json()) == (201, shown)
    assert chosen.json()["items"] == [{"titleText": "Emma", "extraParts": {"partNumber": 1}}]
    assert table.text.splitlines() == [
        "id,titleText,extraParts,titleLength",
        '1,Emma,"{""partNumber"":1}",4',
    ]
    assert part.text.splitlines() == ["titleText", "Emma"]
    assert changed.json() == {**shown, "titleText": "Ada", "titleLength": 3}
    schemas = document["components"]["schemas"]
    assert list(schemas["ShownBook"]["properties"]) == ["id", "titleText", "extraParts", "titleLength"]
    assert list(schemas["NewBook"]["properties"]) == ["titleText", "unitPrice", "extraParts", "isSure"]


class Either(BaseModel):
    """May be called either way in bodies."""

    model_config = EITHER

    id: int | None = None
    title_text: str
    copies_left: int = 0


class NewEither(BaseModel):
    """The same, as a schema of the user's own."""

    model_config = EITHER

    title_text: str
    copies_left: int = 0


@pytest.mark.parametrize(
    ("entity", "schemas"),
    [
        pytest.param(Either, Schemas(), id="on the entity"),
        pytest.param(Either, Schemas(create=NewEither), id="on both"),
    ],
)
async def test_bodies_may_use_names_where_the_class_says_so(entity: type[Any], schemas: Schemas) -> None:
    async with opened(entity, schemas=schemas) as (client, _):
        by_name = await client.post("/books", json={"title_text": "Emma", "copies_left": 1})
        by_alias = await client.post("/books", json={"titleText": "Emma", "copiesLeft": 1})
        table = await client.post(
            "/books/import", content="title_text,copiesLeft\nAda,1\n", headers={"content-type": "text/csv"}
        )
        both = await client.post("/books", json={"titleText": "Emma", "title_text": "Ada"})
        wrong = await client.post("/books", json={"title_text": 7})
        query = await client.get("/books?title_text=Emma")

    assert by_name.json() == {**by_alias.json(), "id": 1} == {"id": 1, "titleText": "Emma", "copiesLeft": 1}
    assert table.json()["created"] == 1, table.text
    assert [each["pointer"] for each in both.json()["errors"]] == ["/title_text"]
    assert [each["code"] for each in wrong.json()["errors"]] == ["string_type"]
    assert query.status_code == 400


class Kebab(BaseModel):
    """Has one odd alias, and one each for answers and bodies only."""

    id: int | None = None
    title: str = Field(alias="book-title")
    price: int = Field(default=1, serialization_alias="cost")
    stock: int = Field(default=1, validation_alias="onHand")


async def test_an_alias_for_bodies_or_answers_only_counts_for_both() -> None:
    async with opened(Kebab) as (client, _):
        made = await client.post("/books", json={"book-title": "Emma", "cost": 3, "onHand": 7})
        page = await client.get("/books?book-title__startswith=E&sort=-book-title,onHand&limit=1")

    assert made.json() == {"id": 1, "book-title": "Emma", "cost": 3, "onHand": 7}
    assert page.json()["items"] == [made.json()]


class _Base(DeclarativeBase):
    pass


class Stored(_Base):
    """How books are stored."""

    __tablename__ = "stored_otherwise"

    id: Mapped[int] = mapped_column(primary_key=True)
    title_text: Mapped[str]


class Pure(BaseModel):
    """What books are."""

    model_config = CAMEL

    id: int | None = None
    title_text: str


async def test_of_an_entity_and_what_stores_it_the_entity_speaks() -> None:
    async with opened(Pure, stored_as=Stored) as (client, _):
        made = await client.post("/books", json={"titleText": "Emma"})

    assert made.json() == {"id": 1, "titleText": "Emma"}


def model_of(config: ConfigDict | None = None, **fields: Any) -> type[BaseModel]:
    """A model with *fields*, a key, and a title."""
    annotations = {"id": int | None, "title": str, **dict.fromkeys(fields, int)}
    members = {"__annotations__": annotations, "__module__": __name__, "id": None, **fields}
    return type("Thing", (BaseModel,), members | ({"model_config": config} if config else {}))


@pytest.mark.parametrize(
    ("entity", "sentence"),
    [
        pytest.param(
            model_of(price=Field(alias="title")),
            "books: 'price' has the alias 'title', which is the name of another field: give it another alias",
            id="the name of another field",
        ),
        pytest.param(
            model_of(price=Field(alias="cost"), stock=Field(alias="cost")),
            "books: 'price' and 'stock' both have the alias 'cost': give one of them another alias",
            id="two fields with one alias",
        ),
        pytest.param(
            model_of(price=Field(alias="limit")),
            "books: a field cannot be called 'limit', which is reserved in queries: rename it",
            id="a word of queries",
        ),
        pytest.param(
            model_of(price=Field(alias="unit__price")),
            "books: a field cannot be called 'unit__price', which is reserved in queries: rename it",
            id="two underscores",
        ),
        pytest.param(
            model_of(price=Field(alias="unit.price")),
            "books: 'price' has the alias 'unit.price', which cannot be written in a query: "
            "use letters, digits, underscores and hyphens",
            id="a dot",
        ),
        pytest.param(
            model_of(price=Field(validation_alias=AliasPath("a", 0)), stock=Field(alias="on", default=1)),
            "books: Thing.price has an AliasPath or AliasChoices: give it one string as alias",
            id="a path",
        ),
        pytest.param(
            model_of(price=Field(validation_alias=AliasChoices("a", "b"))),
            "books: Thing.price has an AliasPath or AliasChoices: give it one string as alias",
            id="choices",
        ),
        pytest.param(
            model_of(price=Field(validation_alias="a", serialization_alias="b")),
            "books: Thing.price has the aliases 'a' and 'b': give it one alias for requests and responses",
            id="two names of one field",
        ),
        pytest.param(
            model_of(
                ConfigDict(
                    alias_generator=AliasGenerator(validation_alias=to_camel, serialization_alias=to_pascal)
                ),
                price=1,
            ),
            "books: Thing.price has the aliases 'price' and 'Price': give it one alias for requests and responses",
            id="two generators",
        ),
    ],
)
def test_names_that_cannot_be_are_mistakes(entity: type[Any], sentence: str) -> None:
    assert sentence in mistakes_of(entity)


class PlainBook(BaseModel):
    """Says no aliases."""

    id: int
    title_text: str


class Choosy(BaseModel):
    """Takes several names."""

    title_text: str = Field(validation_alias=AliasChoices("a", "b"))


@pytest.mark.parametrize(
    ("schemas", "sentence"),
    [
        pytest.param(
            Schemas(create=NewBook, read=PlainBook),
            "books: 'title_text' has different aliases ('titleText' by schemas.create, 'title_text' by schemas.read): "
            "give it the same alias everywhere",
            id="two schemas that differ",
        ),
        pytest.param(
            Schemas(create=Choosy),
            "books: schemas.create: 'title_text' has an AliasPath or AliasChoices: give it one string as alias",
            id="choices",
        ),
    ],
)
def test_schemas_have_to_agree(schemas: Schemas, sentence: str) -> None:
    assert sentence in mistakes_of(Book, schemas=schemas)


def test_a_schema_has_to_agree_with_its_entity() -> None:
    class Odd(BaseModel):
        title_text: str

    (mistake,) = mistakes_of(Pure, schemas=Schemas(create=Odd))
    assert mistake == (
        "books: 'title_text' has different aliases ('titleText' by the entity, 'title_text' by schemas.create): "
        "give it the same alias everywhere"
    )


async def test_a_hidden_field_stays_unknown_by_any_name() -> None:
    async with opened(Either, fields=Fields(hidden=["copies_left"])) as (client, _):
        by_alias = await client.post("/books", json={"titleText": "x", "copiesLeft": 1})
        by_name = await client.post("/books", json={"titleText": "x", "copies_left": 1})
        query = await client.get("/books?copiesLeft=1")

    assert [each["code"] for each in by_alias.json()["errors"]] == ["extra_forbidden"]
    assert [each["code"] for each in by_name.json()["errors"]] == ["extra_forbidden"]
    assert query.status_code == 400
    assert "copies" not in query.json().get("suggestion", "")
