"""Rules of a class over several fields are asked at every door, about a change together with what is stored."""

import asyncio
import dataclasses
import datetime
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import httpx2
import pytest
from annotated_types import MinLen
from pydantic import (
    BaseModel,
    ModelWrapValidatorHandler,
    ValidationInfo,
    field_validator,
    model_validator,
    root_validator,
)
from pydantic import Field as ModelField
from sqlalchemy import Column, DateTime
from sqlmodel import Field, SQLModel

from fastapi_easy.application import Create, Update, UpdateWhere
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    DeclarationError,
    EntityUpdated,
    Failure,
    Fields,
    Invalid,
    Operator,
    Patch,
    Shape,
    UnexpectedValue,
    Where,
)
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe as describe_mapped
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as describe_table
from fastapi_easy.settings import Settings
from tests.e2e.booked import PLAIN, SENTENCE, TABLES, After, Both, OneField, Table
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, empty_store, store_names

GOOD = {"start": 1, "end": 2, "title": " a ", "note": None}
BAD = {"start": 2, "end": 1}


def shop_of(entity: type[Any], folder: Path, **options: Any) -> Any:
    own = f"sqlite:///{folder}/shop.sqlite3" if hasattr(entity, "__table__") else "memory://"
    url = options.pop("url", own)

    class Shop(Container):
        bookings = resource(entity, **options)

    kept = {"default": {"url": url, "migrations": "auto"}}
    return Shop(settings=Settings(databases=kept, secret="s" * 40))


@asynccontextmanager
async def serving(shop: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(shop)) as client:
        yield client


async def store_unchecked(shop: Any, key: int, values: dict[str, Any]) -> None:
    """Store *values* as another program would, which knows no rule."""
    assert (await shop.bookings.repository().update(key, Patch(values))).unwrap()


def refusal(outcome: Any) -> set[str]:
    assert isinstance(outcome, Failure), outcome
    error = outcome.failure()
    assert isinstance(error, Invalid), error
    return {fault.message for fault in error.faults}


@pytest.mark.parametrize("entity", [*PLAIN, *TABLES], ids=lambda each: each.__name__.lower())
async def test_a_rule_holds_at_every_door(entity: type[Any], tmp_path: Path) -> None:
    shop = shop_of(entity, tmp_path)
    async with serving(shop) as client:
        made = await client.post("/bookings", json=GOOD)
        assert (made.status_code, made.json()["title"]) == (201, "a"), made.text
        key = made.json()["id"]
        bookings = shop.kernel().bookings
        refused = {
            "create": await client.post("/bookings", json=BAD),
            "replace": await client.put(f"/bookings/{key}", json=BAD),
            "update": await client.patch(f"/bookings/{key}", json={"end": 0}),
            "update of the other": await client.patch(f"/bookings/{key}", json={"start": 3}),
            "atomic bulk": await client.post(
                "/bookings/bulk", json={"items": [{"update": {"key": key, "set": {"start": 3}}}]}
            ),
        }
        assert {name: answer.status_code for name, answer in refused.items()} == dict.fromkeys(refused, 422)
        assert all(SENTENCE in answer.text for answer in refused.values()), refused["atomic bulk"].text
        items = [
            Create(BAD),
            Update(key, Patch({"end": 0})),
            UpdateWhere(Where("start", Operator.EQUALS, 1), Patch({"end": 0}), 5),
        ]
        bulk = (await bookings.bulk(items, atomic=False)).unwrap()
        lines = (await bookings.import_([BAD, {**GOOD, "start": 0}])).unwrap()

        assert [refusal(each) for each in bulk.outcomes] == [{SENTENCE}] * 3
        assert (lines.created, [number for number, _ in lines.failed]) == (1, [1])
        assert refusal(await bookings.update(key, {"start": 3})) == {SENTENCE}
        assert (await client.get(f"/bookings/{key}")).json() == {**GOOD, "id": key, "title": "a"}

        moved = await client.patch(f"/bookings/{key}", json={"start": 5, "end": 6, "title": " b"})
        assert (moved.status_code, moved.json()["title"], moved.json()["start"]) == (200, "b", 5), moved.text


@pytest.mark.parametrize("entity", [*PLAIN, *TABLES], ids=lambda each: each.__name__.lower())
async def test_what_breaks_a_rule_already_is_readable_and_can_be_mended(
    entity: type[Any], tmp_path: Path
) -> None:
    shop = shop_of(entity, tmp_path)
    async with serving(shop) as client:
        key = (await client.post("/bookings", json=GOOD)).json()["id"]
        await store_unchecked(shop, key, {"start": 9})

        assert (await client.get(f"/bookings/{key}")).json()["start"] == 9
        assert [each["start"] for each in (await client.get("/bookings")).json()["items"]] == [9]
        assert (await shop.bookings.entities().find_by_id(key)).unwrap().start == 9
        assert (await client.patch(f"/bookings/{key}", json={"note": "x"})).status_code == 422
        assert (await client.patch(f"/bookings/{key}", json={"end": 10})).status_code == 200


@pytest.mark.parametrize("entity", [After, Table, Both], ids=lambda each: each.__name__.lower())
async def test_fields_that_callers_do_not_see_take_part(entity: type[Any], tmp_path: Path) -> None:
    shop = shop_of(entity, tmp_path, fields=Fields(hidden=["start"]), operations=["get", "update", "list"])
    async with serving(shop) as client:
        assert (await shop.bookings.repository().add({"start": 4711, "end": 4800})).unwrap()

        answer = await client.patch("/bookings/1", json={"end": 5})

        assert (answer.status_code, "4711" in answer.text) == (422, False)
        assert (await client.patch("/bookings/1", json={"end": 4712})).status_code == 200


@pytest.mark.parametrize("name", store_names("memory", MONGO))
async def test_two_changes_at_once_break_no_rule_together(name: str, tmp_path: Path) -> None:
    with empty_store(name, tmp_path) as url:
        entity = After if url.startswith(("memory", "mongodb")) else Table
        async with serving(shop_of(entity, tmp_path, url=url)) as client:
            key = (await client.post("/bookings", json={"start": 1, "end": 9})).json()["id"]

            answers = await asyncio.gather(
                *(client.patch(f"/bookings/{key}", json=each) for each in ({"start": 8}, {"end": 2}) * 2)
            )

            stored = (await client.get(f"/bookings/{key}")).json()
            assert stored["start"] <= stored["end"]
            # A store that does not lock may give up on some of them.
            assert {answer.status_code for answer in answers} <= {200, 422, 503}
            assert 200 in {answer.status_code for answer in answers}


class Kept(SQLModel, table=True):
    __tablename__ = "booked_kept"
    id: int | None = Field(default=None, primary_key=True)
    start: int
    end: int
    version: int = 1
    gone: datetime.datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        return self


async def test_rules_are_asked_beside_versions_events_and_marks_of_deletion(tmp_path: Path) -> None:
    shop = shop_of(Kept, tmp_path, version="version", soft_delete="gone")
    seen: list[str] = []

    async def note(event: EntityUpdated) -> None:
        seen.append(str(event.values["end"]))

    shop.event_bus().subscribe(EntityUpdated, note)
    async with serving(shop) as client:
        made = await client.post("/bookings", json={"start": 1, "end": 2})
        assert made.status_code == 201, made.text
        tag = {"if-match": made.headers["etag"]}

        refused = await client.patch("/bookings/1", json={"end": 0}, headers=tag)
        changed = await client.patch("/bookings/1", json={"end": 5}, headers=tag)
        stale = await client.patch("/bookings/1", json={"end": 6}, headers=tag)
        await store_unchecked(shop, 1, {"end": 0})
        deleted = await client.delete("/bookings/1")
        restored = await client.post("/bookings/1/restore")

        codes = [each.status_code for each in (refused, changed, stale, deleted, restored)]
        assert codes == [422, 200, 412, 204, 200], restored.text
        assert (changed.json()["version"], seen) == (2, ["5"])


class Tagged(BaseModel):
    """The rule is asked of instances, also inside of documents."""

    id: int | None = None
    first: After
    others: list[After] = []

    def model_post_init(self, context: Any, /) -> None:
        if any(each.end > self.first.start for each in self.others):
            raise ValueError(SENTENCE)


async def test_a_rule_meets_instances_of_the_classes_inside_of_documents(tmp_path: Path) -> None:
    shop = shop_of(Tagged, tmp_path)
    early, late = {"start": 1, "end": 2}, {"start": 3, "end": 4}
    async with serving(shop) as client:
        made = await client.post("/bookings", json={"first": late, "others": [early]})
        assert made.status_code == 201, made.text

        swapped = await client.patch("/bookings/1", json={"first": early})
        inside = await client.patch("/bookings/1", json={"others": [{"start": 2, "end": 1}]})

        assert (swapped.status_code, swapped.json()["errors"][0]["pointer"]) == (422, "")
        assert (inside.status_code, inside.json()["errors"][0]["pointer"]) == (422, "/others/0")


class Broken(BaseModel):
    id: int | None = None
    start: int

    def model_post_init(self, context: Any, /) -> None:
        raise RuntimeError("a defect")


async def test_any_other_exception_of_a_rule_is_a_defect(tmp_path: Path) -> None:
    async with serving(shop_of(Broken, tmp_path)) as client:
        assert (await client.post("/bookings", json={"start": 1})).status_code == 500


class Named(After):
    __unique__: ClassVar = ("title",)


async def test_an_upsert_asks_the_rules_about_what_is_there(tmp_path: Path) -> None:
    async with serving(shop_of(Named, tmp_path, upsert=["title"])) as client:
        first = await client.post("/bookings/upsert", json={"title": "a", "start": 1, "end": 2})
        again = await client.post("/bookings/upsert", json={"title": "a", "start": 2, "end": 2})
        refused = await client.post("/bookings/upsert", json={"title": "a", "start": 3, "end": 2})

    assert (first.status_code, again.status_code) == (201, 200)
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (422, SENTENCE)


def with_init_only() -> type[Any]:
    @dataclasses.dataclass
    class Priced:
        price: int
        tax: dataclasses.InitVar[int]
        id: int | None = None

        def __post_init__(self, tax: int) -> None:
            self.price += tax

    return Priced


def with_a_root_validator() -> type[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)

        class Rooted(BaseModel):
            id: int | None = None

            @root_validator(skip_on_failure=True)  # type: ignore[deprecated]
            @classmethod
            def check(cls, values: dict[str, Any]) -> dict[str, Any]:
                return values

    return Rooted


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(with_init_only, "tax is an InitVar", id="a value that is not stored"),
        pytest.param(with_a_root_validator, "use model_validator", id="a validator of pydantic 1"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_refused_at_start(
    make: Callable[[], type[Any]], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(DeclarationError, match=sentence):
        _ = shop_of(make(), tmp_path).kernel()


class Slugged(BaseModel):
    id: int | None = None
    title: str
    slug: str
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def filled(cls, data: Any) -> Any:
        data.setdefault("slug", data["title"].lower())
        return data


class SluggedTable(SQLModel, table=True):
    __tablename__ = "booked_slugged"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    slug: str
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def filled(cls, data: Any) -> Any:
        return {**data, "slug": data["title"].lower()} if "slug" not in data else data


class SluggedByAlias(BaseModel):
    """A validator that comes before meets what callers send."""

    id: int | None = None
    title: str = ModelField(alias="theTitle")
    slug: str = ModelField(alias="theSlug")
    note: str | None = None

    @model_validator(mode="wrap")
    @classmethod
    def filled(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return handler({"theSlug": data["theTitle"].lower(), **data})


@pytest.mark.parametrize("entity", [Slugged, SluggedTable, SluggedByAlias], ids=lambda each: each.__name__)
async def test_a_rule_that_comes_before_fills_in_what_is_required(entity: type[Any], tmp_path: Path) -> None:
    title, slug = ("theTitle", "theSlug") if entity is SluggedByAlias else ("title", "slug")
    shop = shop_of(entity, tmp_path)
    async with serving(shop) as client:
        made = await client.post("/bookings", json={title: "Emma"})
        given = await client.post("/bookings", json={title: "Emma", slug: "e"})
        replaced = await client.put("/bookings/2", json={title: "Emil"})
        changed = await client.patch("/bookings/2", json={"note": "n"})
        missing = [await client.post("/bookings", json=each) for each in ({"note": "n"}, {slug: "e"})]
        wrong = await client.post("/bookings", json={title: "Emma", slug: 5})
        lines = (await shop.kernel().bookings.import_([{"title": "Emma"}])).unwrap()

    assert made.status_code == 201, made.text
    assert [each.json()[slug] for each in (made, given, replaced, changed)] == ["emma", "e", "emil", "emil"]
    assert [each.status_code for each in (*missing, wrong)] == [422] * 3
    assert {each["code"] for answer in missing for each in answer.json()["errors"]} == {"missing"}
    assert title in missing[1].text
    assert lines.created == 1


def _no_text(data: dict[str, Any]) -> None:
    data.get("title").lower()  # type: ignore[union-attr] # the defect


DEFECTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "an attribute that is not there": _no_text,
    "a type that is another": lambda data: data["title"] + 1,
    "a number that is none": lambda data: len(data) / 0,
    "a name of something else": lambda data: data["tax"],
}


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)
async def test_a_defect_of_a_rule_that_comes_before_is_no_missing_field(
    defect: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    class Broken(BaseModel):
        id: int | None = None
        title: str
        slug: str

        @model_validator(mode="before")
        @classmethod
        def filled(cls, data: Any) -> Any:
            _ = defect(data)
            return {**data, "slug": data["title"]}

    async with serving(shop_of(Broken, tmp_path)) as client:
        body = {} if defect is _no_text else {"title": "Emma"}
        answer = await client.post("/bookings", json=body)

    assert (answer.status_code, "missing" in answer.text) == (500, False)


class Either(BaseModel):
    id: int | None = None
    mail: str | None = None
    phone: str | None = None

    @model_validator(mode="after")
    def is_reachable(self) -> Self:
        if self.model_fields_set.isdisjoint({"mail", "phone"}):
            raise ValueError(SENTENCE)
        return self


class Twice(BaseModel):
    """What comes before is asked first, whatever the order in the class."""

    id: int | None = None
    mail: str = ""
    phone: str = ""

    @field_validator("phone")
    @classmethod
    def same(cls, phone: str, info: ValidationInfo) -> str:
        if phone != info.data["mail"]:
            raise ValueError(SENTENCE)
        return phone

    @field_validator("*", mode="before")
    @classmethod
    def stripped(cls, value: Any, info: ValidationInfo) -> Any:
        return value.strip() if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("entity", "good", "bad"),
    [
        pytest.param(Either, {"mail": None}, {}, id="which fields are set"),
        pytest.param(
            Twice, {"mail": " a", "phone": "a "}, {"mail": "a", "phone": "b"}, id="the order of rules"
        ),
    ],
)
async def test_rules_are_asked_as_pydantic_asks_them(
    entity: type[Any], good: dict[str, Any], bad: dict[str, Any], tmp_path: Path
) -> None:
    async with serving(shop_of(entity, tmp_path)) as client:
        answers = [await client.post("/bookings", json=each) for each in (good, bad)]

    assert [each.status_code for each in answers] == [201, 422]
    assert SENTENCE in answers[1].text


@pytest.mark.parametrize(
    "shape",
    [describe(After), describe(OneField), describe_table(Table), describe_mapped(Both)],
    ids=["model", "one field", "table", "validates"],
)
def test_a_rule_does_not_mind_an_unexpected_value_that_it_does_not_look_at(shape: Shape) -> None:
    rules = shape.rules
    assert rules is not None
    values = {"id": 1, "start": 1, "end": 2, "title": "a", "note": UnexpectedValue(5)}

    kept = rules.check_changed({**values, "end": 3}, {"end"})
    broken = rules.check_changed({**values, "end": 0}, {"end"})
    odd = rules.check_changed({**values, "start": UnexpectedValue("soon")}, {"end"})

    assert kept.unwrap()["note"] == UnexpectedValue(5)
    assert refusal(broken) == {SENTENCE}
    mistake = odd.failure()
    assert isinstance(mistake, Invalid)
    assert [(each.pointer, each.code) for each in mistake.faults] == [
        ("/start", "unexpected_value"),
        ("/note", "unexpected_value"),
    ]


async def test_a_class_without_such_rules_is_updated_by_one_call() -> None:
    class Free(BaseModel):
        id: int | None = None
        name: Annotated[str, MinLen(1)]

        @field_validator("name")
        @classmethod
        def stripped(cls, name: str) -> str:
            return name.strip()

    shape = describe(Free)

    assert shape.rules is None
    assert len(shape.fields[1].rules) == 2
