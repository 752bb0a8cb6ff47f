"""JSON fields whose annotation says what they hold: refused at every door, described, and read as they are stored."""

import decimal
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from annotated_types import Ge
from pydantic import BaseModel
from pydantic import Field as ModelField
from sqlalchemy import ARRAY, JSON, Column, Integer, Numeric, SmallInteger, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel
from tortoise import Model, fields

from fastapi_easy.application import Create, Update
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Invalid, Json, Patch, Shape, Success
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as describe_table
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.settings import Settings
from fastapi_easy.testing.resources import resource_from
from tests.e2e.serving import client_of


class Hash(BaseModel):
    name: str = ModelField(min_length=1)


class Size(typing.TypedDict):
    width: int


class Base(DeclarativeBase):
    pass


class Errand(Base):
    __tablename__ = "errand"
    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    hashes: Mapped["list[Hash]"] = mapped_column(JSON, default=list)
    size: Mapped[Size | None] = mapped_column(JSON)


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    hashes: list[Hash] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    size: dict[str, int] | None = Field(default=None, sa_column=Column(JSON))


class Ticket(Model):
    id = fields.IntField(primary_key=True)
    tags: list[str] = fields.JSONField(default=list)
    hashes = fields.JSONField[list[Hash]](default=list)
    size = fields.JSONField[dict[str, int]](null=True)


class Plain(BaseModel):
    id: int | None = None
    tags: Sequence[str] = ModelField(default_factory=list)
    hashes: list[Hash] = ModelField(default_factory=list)
    size: dict[str, int] | None = None


BAD = [
    ({"tags": [1]}, "/tags/0"),
    ({"tags": "text"}, "/tags"),
    ({"hashes": [{"name": ""}]}, "/hashes/0/name"),
    ({"hashes": {"name": "x"}}, "/hashes"),
    ({"size": {"width": "wide"}}, "/size/width"),
]


@pytest.mark.parametrize(
    ("entity", "scheme"),
    [(Errand, "sqlite"), (Task, "sqlite"), (Ticket, "sqlite"), (Plain, "memory")],
    ids=["mapped", "sqlmodel", "tortoise", "plain"],
)
async def test_documents_are_checked_described_and_read_as_stored(
    entity: Any, scheme: str, tmp_path: Path
) -> None:
    class Shop(Container):
        tasks = resource(entity)

    url = "memory://" if scheme == "memory" else f"sqlite:///{tmp_path}/shop.sqlite3"
    shop = Shop(settings=Settings(databases={"default": {"url": url, "migrations": "auto"}}, secret="s" * 40))
    async with client_of(create_app(shop)) as client:
        made = await client.post(
            "/tasks", json={"tags": ["a"], "hashes": [{"name": "n"}], "size": {"width": 1}}
        )
        assert made.status_code == 201, made.text
        tasks = shop.kernel().resource("tasks")
        for values, pointer in BAD:
            await _refused(client, values, pointer)
            assert (await tasks.update(1, values)).failure().faults[0].pointer == pointer
            bulk = (await tasks.bulk([Create(values), Update(1, Patch(values))], atomic=False)).unwrap()
            assert [each.failure().faults[0].pointer for each in bulk.outcomes] == [pointer, pointer]
        described = (await client.get("/openapi.json")).json()["components"]["schemas"][entity.__name__][
            "properties"
        ]
        assert described["hashes"]["items"] == {"$ref": "#/components/schemas/Hash"}

        async with shop.unit_of_work() as work:
            # As another program left it: repositories check nothing.
            odd = Patch({"hashes": [{"nome": 1}], "size": ["wide"]})
            assert (await work.repository("tasks").update(1, odd)).unwrap()
            _ = await work.commit()

        assert (await client.get("/tasks/1")).json()["hashes"] == [{"nome": 1}]
        assert [each["size"] for each in (await client.get("/tasks")).json()["items"]] == [["wide"]]
        assert (await shop.tasks.entities().find_by_id(1)).unwrap().hashes == [{"nome": 1}]


async def _refused(client: httpx2.AsyncClient, values: dict[str, object], pointer: str) -> None:
    for answer in (
        await client.post("/tasks", json=values),
        await client.put("/tasks/1", json=values),
        await client.patch("/tasks/1", json=values),
    ):
        assert answer.status_code == 422, answer.text
        pointers = [each["pointer"] for each in answer.json()["errors"]]
        assert pointers[0] == pointer, answer.text


def mapped() -> type[Any]:
    # The text cannot be read: it names a class that is known in this function only.
    class Absent(BaseModel):
        name: str

    class OldErrand(Base):
        __tablename__ = "old_errand"
        __allow_unmapped__ = True
        id = Column(Integer, primary_key=True)
        tags: "list[Absent]" = Column(JSON)  # type: ignore[assignment]

    return OldErrand


def of_sqlmodel() -> type[Any]:
    class Absent(BaseModel):
        name: str

    class OldTask(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        tags: "list[Absent]" = Field(sa_column=Column(JSON))

    return OldTask


def of_tortoise() -> type[Any]:
    class Absent(BaseModel):
        name: str

    class OldTicket(Model):
        id = fields.IntField(primary_key=True)
        tags: "list[Absent]" = fields.JSONField()

    return OldTicket


def plain() -> type[Any]:
    class Absent(BaseModel):
        name: str

    @dataclass
    class OldPlain:
        tags: "list[Absent]"
        id: int | None = None

    return OldPlain


@pytest.mark.parametrize("make", [mapped, of_sqlmodel, of_tortoise, plain], ids=lambda each: each.__name__)
def test_an_annotation_that_cannot_be_read_is_refused_at_start(
    make: Callable[[], type[Any]], tmp_path: Path
) -> None:
    class Shop(Container):
        tasks = resource(make())

    url = "memory://" if make is plain else f"sqlite:///{tmp_path}/shop.sqlite3"
    shop = Shop(settings=Settings(databases={"default": {"url": url}}, secret="s" * 40))

    with pytest.raises(DeclarationError, match=r"tags is annotated as list\[Absent\]"):
        _ = shop.kernel()


class Loose(SQLModel, table=True):
    """Its columns take null, as those of `sa_column` do by themselves."""

    __tablename__ = "loose_task"
    id: int | None = Field(default=None, primary_key=True)
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    size: dict[str, int] | None = Field(sa_column=Column(JSON))
    hashes: list[Hash] = Field(sa_column=Column(JSON))
    marks: list[str] = Field(default=None, sa_column=Column(JSON))


async def test_a_document_is_null_only_where_its_annotation_says_so(tmp_path: Path) -> None:
    class Shop(Container):
        tasks = resource(Loose)

    kept = {"default": {"url": f"sqlite:///{tmp_path}/shop.sqlite3", "migrations": "auto"}}
    async with client_of(create_app(Shop(settings=Settings(databases=kept, secret="s" * 40)))) as client:
        made = await client.post("/tasks", json={"hashes": [], "size": None, "marks": None})
        refused = [
            await client.post("/tasks", json={}),
            await client.post("/tasks", json={"hashes": None}),
            await client.patch("/tasks/1", json={"tags": None}),
        ]

    assert made.status_code == 201, made.text
    assert [(each.status_code, each.json()["errors"][0]["pointer"]) for each in refused] == [
        (422, "/hashes"),
        (422, "/hashes"),
        (422, "/tags"),
    ]


class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True)
    codes: Mapped[list[str]] = mapped_column(ARRAY(String(3)), default=list)
    colours: Mapped[list[typing.Literal["red", "scarlet"]]] = mapped_column(ARRAY(String(3)), default=list)
    small: Mapped[list[typing.Annotated[int, Ge(0)]]] = mapped_column(ARRAY(SmallInteger), default=list)
    prices: Mapped[list[decimal.Decimal]] = mapped_column(ARRAY(Numeric(5, 2)), default=list)


class Rack(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    codes: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(String(3))))
    colours: list[typing.Literal["red", "scarlet"]] = Field(
        default_factory=list, sa_column=Column(ARRAY(String(3)))
    )
    small: list[typing.Annotated[int, Ge(0)]] = Field(
        default_factory=list, sa_column=Column(ARRAY(SmallInteger))
    )
    prices: list[decimal.Decimal] = Field(default_factory=list, sa_column=Column(ARRAY(Numeric(5, 2))))


@pytest.mark.parametrize("shape", [describe(Shelf), describe_table(Rack)], ids=["mapped", "sqlmodel"])
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("codes", "abc", "abcd"),
        ("colours", "red", "scarlet"),
        ("colours", "red", "tan"),
        ("small", 32767, 32768),
        ("small", 0, -1),
        ("prices", "999.99", "9.999"),
        ("prices", "1", "1000"),
    ],
)
def test_items_of_an_array_fit_its_column(shape: Shape, name: str, good: object, bad: object) -> None:
    create = PydanticValidator(resource_from(shape, "shelves", object)).create

    assert isinstance(create(Json({name: [good]})), Success)
    refused = create(Json({name: [good, bad]})).failure()
    assert isinstance(refused, Invalid)
    assert {fault.pointer for fault in refused.faults} == {f"/{name}/1"}
