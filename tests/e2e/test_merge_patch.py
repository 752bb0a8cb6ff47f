"""A merge patch reaches into JSON fields at every door, and what it makes of the stored document is checked."""

import asyncio
import json
from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import BaseModel, model_validator
from pydantic import Field as ModelField
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.application import Update, UpdateWhere
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Invalid, Merge, Operator, Patch, Where
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, empty_store, store_names
from tests.unit.domain.test_merge import APPENDIX_A

MERGE = {"content-type": "application/merge-patch+json"}


class Style(BaseModel):
    bold: bool = False
    size: int = ModelField(default=1, ge=1)


class Base(DeclarativeBase):
    pass


class TablePaper(Base):
    __tablename__ = "merged_paper"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="none")
    data: Mapped[Any] = mapped_column(JSON, nullable=True)
    style: Mapped[dict[str, Style]] = mapped_column(JSON, default=dict)


class PlainPaper(BaseModel):
    id: int | None = None
    title: str = "none"
    data: Any | None = None
    style: dict[str, Style] = ModelField(default_factory=dict, alias="theStyle")

    @model_validator(mode="after")
    def checked(self) -> Self:
        if any(each.bold and each.size > 9 for each in self.style.values()):
            raise ValueError("too loud")
        return self


def shop_of(entity: type[Any], url: str) -> Any:
    class Shop(Container):
        papers = resource(entity)

    kept = {"default": {"url": url, "migrations": "auto"}}
    return Shop(settings=Settings(databases=kept, secret="s" * 40))


@pytest.fixture(params=["table", "plain"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "plain":
        return shop_of(PlainPaper, "memory://")
    return shop_of(TablePaper, f"sqlite:///{tmp_path}/shop.sqlite3")


async def test_the_cases_of_appendix_a_inside_of_a_field(shop: Any) -> None:
    async with client_of(create_app(shop)) as client:
        for target, patch, result in APPENDIX_A:
            made = (await client.post("/papers", json={"data": target})).json()
            answer = await client.patch(
                f"/papers/{made['id']}", content=json.dumps({"data": patch}), headers=MERGE
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["data"] == result


async def test_every_door_merges(shop: Any) -> None:
    stored, merged = {"a": 1, "n": {"x": 1, "y": 2}}, {"a": 1, "n": {"y": 2, "z": 3}}
    patch = {"n": {"x": None, "z": 3}}
    async with client_of(create_app(shop)) as client:
        papers = shop.kernel().papers
        keys = [(await papers.create({"data": stored, "title": "t"})).unwrap()["id"] for _ in range(7)]
        of_title = Where("title", Operator.EQUALS, "t")

        replaced = await client.patch(f"/papers/{keys[0]}", json={"data": patch})
        assert replaced.json()["data"] == patch
        answers = [
            (await client.patch(f"/papers/{keys[1]}", json={"data": patch}, headers=MERGE)).json(),
            (await papers.update(keys[2], {"data": Merge(patch)})).unwrap(),
        ]
        bulk = await client.post(
            "/papers/bulk", json={"items": [{"update": {"key": keys[3], "merge": {"data": patch}}}]}
        )
        answers.append(bulk.json()["results"][0]["entity"])
        done = (await papers.bulk([Update(keys[4], Patch({"data": Merge(patch)}))])).unwrap()
        answers.append(done.outcomes[0].unwrap())
        async with shop.unit_of_work() as work:
            changed = await work.repository("papers").update(keys[5], Patch({"data": Merge(patch)}))
            answers.append(changed.unwrap())
            _ = await work.commit()
        assert [answer["data"] for answer in answers] == [merged] * 5
        more = UpdateWhere(of_title, Patch({"data": Merge({"more": True})}), 10)
        assert (await papers.bulk([more])).unwrap().outcomes[0].unwrap() == 7

        every = [each["data"] for each in (await client.get("/papers")).json()["items"]]
        assert every == [{**patch, "more": True}, *[{**merged, "more": True}] * 5, {**stored, "more": True}]


async def test_what_a_document_becomes_is_checked(shop: Any) -> None:
    style = "theStyle" if shop.papers.declaration.entity is PlainPaper else "style"
    async with client_of(create_app(shop)) as client:
        made = await client.post("/papers", json={style: {"h1": {"bold": True, "size": 9}}})
        assert made.status_code == 201, made.text
        key = made.json()["id"]

        async def merge(document: object) -> Any:
            return await client.patch(f"/papers/{key}", json={style: document}, headers=MERGE)

        kept = await merge({"h1": {"size": 8}, "h2": {}})
        refused = await merge({"h1": {"size": 0}, "h2": {"bald": 1}})
        null = await client.patch(f"/papers/{key}", json={style: None}, headers=MERGE)
        python = await shop.kernel().papers.update(key, {"style": Merge({"h1": {"size": 0}})})
        bulk = await client.post(
            "/papers/bulk", json={"items": [{"update": {"key": key, "merge": {style: {"h1": {"size": 0}}}}}]}
        )

        assert kept.json()[style] == {"h1": {"bold": True, "size": 8}, "h2": {"bold": False, "size": 1}}
        assert refused.status_code == null.status_code == bulk.status_code == 422
        pointers = [each["pointer"] for each in refused.json()["errors"]]
        assert pointers == [f"/{style}/h1/size", f"/{style}/h2/bald"]
        assert bulk.json()["errors"][0]["pointer"] == f"/items/0/update/merge/{style}/h1/size"
        assert isinstance(python, Failure)
        error = python.failure()
        assert isinstance(error, Invalid)
        assert error.faults[0].pointer == "/style/h1/size"
        assert (await client.get(f"/papers/{key}")).json()[style] == kept.json()[style]
        if style == "theStyle":
            assert (await merge({"h1": {"size": 10}})).json()["errors"][0]["message"] == "too loud"


async def test_an_update_that_cannot_merge_says_so(shop: Any) -> None:
    async with client_of(create_app(shop)) as client:
        papers = shop.kernel().papers
        key = (await papers.create({"data": {}})).unwrap()["id"]
        both = {"update": {"key": key, "merge": {}, "set": {}}}
        update = shop.papers.declaration.entity.__name__ + "MergePatch"

        assert isinstance(await papers.create({"data": Merge({})}), Failure)
        assert isinstance(await papers.update(key, {"title": Merge({})}), Failure)
        assert isinstance(await papers.update(key, {"data": Merge({"a": "\x00"})}), Failure)
        assert (await client.post("/papers/bulk", json={"items": [both]})).status_code == 422
        assert update in (await client.get("/openapi.json")).json()["components"]["schemas"]


@pytest.mark.parametrize("name", store_names("memory", MONGO))
async def test_merges_at_once_lose_nothing(name: str, tmp_path: Path) -> None:
    with empty_store(name, tmp_path) as url:
        shop = shop_of(PlainPaper if url.startswith(("memory", "mongodb")) else TablePaper, url)
        async with client_of(create_app(shop)) as client:
            key = (await client.post("/papers", json={"data": {}})).json()["id"]

            answers = await asyncio.gather(
                *(client.patch(f"/papers/{key}", json={"data": {str(n): n}}, headers=MERGE) for n in range(6))
            )

            # A store that does not lock may give up on some of them.
            done = [number for number, answer in enumerate(answers) if answer.status_code == 200]
            stored = (await client.get(f"/papers/{key}")).json()["data"]
            assert done
            assert stored == {str(number): number for number in done}
