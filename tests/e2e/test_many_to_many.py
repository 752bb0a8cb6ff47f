"""Many-to-many relations through the doors: lists of keys in documents, and association tables as resources."""

from pathlib import Path
from typing import Annotated, Any

import pymongo
import pytest
from bson import ObjectId
from pydantic import BaseModel
from returns.result import Failure, Success
from sqlmodel import Field, Relationship, SQLModel
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    Cache,
    DeclarationError,
    Principal,
    ReferenceBroken,
    to_listed,
    to_many,
    to_one,
)
from fastapi_easy.policies import ANYONE, Where, allow, principal
from fastapi_easy.settings import Settings
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store
from tests.e2e.tenants import Statements


def _on(url: str) -> Any:
    return Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})


class Author(BaseModel):
    __collection__ = "many_authors"
    id: int | None = None
    name: str


class Book(BaseModel):
    __collection__ = "many_books"
    id: int | None = None
    title: str
    author_ids: list[int] = []


class Library(Container):
    authors = resource(Author, relations={"books": to_many(Book, by="author_ids")})
    books = resource(Book, relations={"authors": to_listed(Author, by="author_ids")})


ANSWERS = {
    "/books?include=authors&fields=title,authors.name&authors.sort=-name": [
        {"title": "Gospels", "authors": [{"name": "Luke"}, {"name": "John"}]},
        {"title": "Acts", "authors": [{"name": "Luke"}]},
        {"title": "Job", "authors": []},
        {"title": "Lost", "authors": []},
    ],
    "/books?include=authors&fields=title,authors.name&authors.sort=name&authors.limit=1&limit=1": [
        {"title": "Gospels", "authors": [{"name": "John"}]}
    ],
    "/authors?include=books&fields=name,books.title&books.sort=title": [
        {"name": "Luke", "books": [{"title": "Acts"}, {"title": "Gospels"}]},
        {"name": "John", "books": [{"title": "Gospels"}]},
        {"name": "Mark", "books": []},
    ],
    "/authors?include=books.authors&fields=name,books.title,books.authors.name&name=John": [
        {"name": "John", "books": [{"title": "Gospels", "authors": [{"name": "Luke"}, {"name": "John"}]}]}
    ],
    "/books?fields=title&authors.name=Luke": [{"title": "Gospels"}, {"title": "Acts"}],
    "/books?fields=title&authors.name__contains=oh": [{"title": "Gospels"}],
    "/books?fields=title&authors__isnull=true": [{"title": "Job"}, {"title": "Lost"}],
    "/authors?fields=name&books__isnull=true": [{"name": "Mark"}],
    "/authors?fields=name&books.title__in=Acts&books.title__in=Job": [{"name": "Luke"}],
    "/books?fields=title&author_ids__has=1": [{"title": "Gospels"}, {"title": "Acts"}],
}


async def _add_library(client: Any) -> None:
    for name in ("Luke", "John", "Mark"):
        _ = await client.post("/authors", json={"name": name})
    # Of the last one no author is there: a list of keys is no foreign key.
    for title, author_ids in {"Gospels": [1, 2, 1], "Acts": [1], "Job": [], "Lost": [77]}.items():
        answer = await client.post("/books", json={"title": title, "author_ids": author_ids})
        assert answer.status_code == 201


@pytest.mark.parametrize("store", ["memory", "mongo"])
async def test_documents_that_list_keys_are_related_from_both_ends(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with client_of(create_app(Library(settings=_on(url)))) as client:
            await _add_library(client)

            shown = {path: (await client.get(path)).json()["items"] for path in ANSWERS}
            total = (await client.get("/books?authors.name__contains=n&count=exact&limit=1")).json()["total"]
            one = (await client.get("/books/1?include=authors&fields=title,authors.id")).json()
            _ = await client.patch("/books/1", json={"author_ids": [3]})
            after = (await client.get("/authors?fields=name&books.title=Gospels")).json()["items"]

    assert shown == ANSWERS
    assert total == 1
    assert one == {"title": "Gospels", "authors": [{"id": 1}, {"id": 2}]}
    assert after == [{"name": "Mark"}]


async def test_each_include_and_filter_along_a_list_is_one_command_of_mongodb(tmp_path: Path) -> None:
    with empty_store("mongo", tmp_path) as url:
        commands = Statements()
        library: Any = Library(settings=_on(url), tracer=commands)
        async with client_of(create_app(library)) as client:
            await _add_library(client)

            asked = {}
            for path in (
                "/books?include=authors.books",
                "/authors?include=books",
                "/books?authors.name=Luke",
            ):
                commands.names.clear()
                _ = await client.get(path)
                asked[path] = [
                    each for each in commands.names if each.endswith(("many_books", "many_authors"))
                ]

    assert asked == {
        "/books?include=authors.books": ["find many_books", "aggregate many_authors", "aggregate many_books"],
        "/authors?include=books": ["find many_authors", "aggregate many_books"],
        "/books?authors.name=Luke": ["aggregate many_books"],
    }


def test_a_list_leads_to_many_and_to_values_of_its_items() -> None:
    class Wrong(Container):
        authors = resource(Author, relations={"books": to_one(Book, by="id")})
        books = resource(
            Book,
            relations={
                "author": to_one(Author, by="author_ids"),
                "named": to_listed(Author, by="title"),
                "same": to_listed(Book, by="author_ids"),
            },
        )

    with pytest.raises(DeclarationError) as refused:
        _ = create_app(Wrong())

    said = str(refused.value)
    assert "relation 'author' leads to one of authors at most, but books.author_ids holds a list" in said
    assert "declare it with to_listed" in said
    assert "relation 'named' compares title with id of authors, which differ in number or kind" in said


class Guarded(Container):
    authors = resource(
        Author,
        relations={"books": to_many(Book, by="author_ids")},
        policy=[allow("*", to=ANYONE, rows=Where("name") == principal.id), allow("create", to=ANYONE)],
    )
    books = resource(
        Book,
        relations={"authors": to_listed(Author, by="author_ids")},
        policy=[allow("*", to=ANYONE)],
    )


@pytest.mark.parametrize("store", ["memory", "mongo"])
async def test_what_the_caller_may_not_see_is_neither_found_nor_linked(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with open_kernel(Guarded(settings=_on(url))) as kernel:
            luke, john = (kernel.acting_as(Principal(id=name)) for name in ("Luke", "John"))
            own = (await luke.authors.create(name="Luke")).unwrap()
            foreign = (await john.authors.create(name="John")).unwrap()
            book = (await luke.books.create(title="Acts", author_ids=[own.id, own.id])).unwrap()

            refused = [
                await luke.books.create(title="Gospels", author_ids=[own.id, foreign.id]),
                await luke.books.update(book.id, author_ids=[foreign.id]),
                await luke.books.update(book.id, author_ids=[own.id, 4711]),
            ]
            ours = (await luke.books.get(book.id, include="authors")).unwrap()
            theirs = (await john.books.get(book.id, include="authors")).unwrap()
            found = [await each.books.count({"authors.name": "Luke"}) for each in (luke, john)]

    assert refused == [Failure(ReferenceBroken("books", ("author_ids",)))] * 3
    assert ours["authors"] == [own]
    assert theirs["authors"] == []
    assert found == [Success(1), Success(0)]


class Tag(BaseModel):
    __collection__ = "many_tags"
    id: str | None = None
    word: str


class Post(BaseModel):
    __collection__ = "many_posts"
    id: int | None = None
    tag_ids: list[Annotated[str, ObjectId]] = []


class Blog(Container):
    tags = resource(Tag, relations={"posts": to_many(Post, by="tag_ids")})
    posts = resource(Post, relations={"tags": to_listed(Tag, by="tag_ids")})


async def test_lists_of_object_ids_lead_to_their_documents_whoever_wrote_them(tmp_path: Path) -> None:
    with empty_store("mongo", tmp_path) as url, pymongo.MongoClient[dict[str, Any]](url) as others:
        posts = others.get_default_database("fastapi_easy")["many_posts"]
        # A collection that is there already gets no validator.
        _ = posts.insert_one({"_id": 7})
        async with client_of(create_app(Blog(settings=_on(url)))) as client:
            red = (await client.post("/tags", json={"word": "red"})).json()["id"]
            refused = await client.post("/posts", json={"tag_ids": ["red"]})
            key = (await client.post("/posts", json={"tag_ids": [red]})).json()["id"]
            kept = posts.find_one({"_id": key})
            # As other programs may: texts, both forms in one list, one value, no list at all.
            held = {20: [red], 21: [ObjectId(red), red], 22: red, 23: None, 24: [None]}
            _ = posts.insert_many([{"_id": each, "tag_ids": value} for each, value in held.items()])

            found = (await client.get("/posts?tags.word=red&fields=id")).json()["items"]
            without = (await client.get("/posts?tags__isnull=true&fields=id")).json()["items"]
            shown = (await client.get("/posts?include=tags&fields=id,tags.word")).json()["items"]
            back = (await client.get("/tags?include=posts&fields=word,posts.id")).json()["items"]

    assert refused.status_code == 422
    assert kept == {"_id": 8, "tag_ids": [ObjectId(red)]}
    assert [each["id"] for each in found] == [8, 20, 21]
    assert [each["id"] for each in without] == [7, 22, 23, 24]
    assert [each["id"] for each in shown if each["tags"] == [{"word": "red"}]] == [8, 20, 21]
    assert back == [{"word": "red", "posts": [{"id": 8}, {"id": 20}, {"id": 21}]}]


class Tagging(SQLModel, table=True):
    __tablename__ = "many_tagging"
    article_id: int = Field(foreign_key="many_article.id", primary_key=True, ondelete="CASCADE")
    label_id: int = Field(foreign_key="many_label.id", primary_key=True)


class Article(SQLModel, table=True):
    __tablename__ = "many_article"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    labels: list["Sticker"] = Relationship(link_model=Tagging, back_populates="articles")


class Sticker(SQLModel, table=True):
    __tablename__ = "many_label"
    id: int | None = Field(default=None, primary_key=True)
    word: str
    articles: list[Article] = Relationship(link_model=Tagging, back_populates="labels")


class Press(Container):
    articles = resource(Article)
    labels = resource(Sticker)
    taggings = resource(Tagging)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_an_association_table_that_is_a_resource_changes_the_links(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        press = in_memory(Press) if store == "memory" else Press(settings=_on(url))
        async with client_of(create_app(press)) as client:
            for title in ("a", "b"):
                _ = await client.post("/articles", json={"title": title})
            for word in ("red", "blue"):
                _ = await client.post("/labels", json={"word": word})
            links = [(1, 1), (1, 2), (2, 1)]
            made = [
                await client.post("/taggings", json={"article_id": article, "label_id": label})
                for article, label in links
            ]
            twice = await client.post("/taggings", json={"article_id": 1, "label_id": 1})
            before = (await client.get("/articles?include=labels&fields=title,labels.word")).json()["items"]
            removed = await client.delete("/taggings/1,1")
            after = (await client.get("/articles?include=labels&fields=title,labels.word")).json()["items"]
            red = (await client.get("/articles?labels.word=red&fields=title")).json()["items"]
            _ = await client.delete("/articles/2")
            alone = (await client.get("/labels?articles__isnull=true&fields=word")).json()["items"]

    assert [each.status_code for each in (*made, twice, removed)] == [201, 201, 201, 409, 204]
    assert before == [
        {"title": "a", "labels": [{"word": "red"}, {"word": "blue"}]},
        {"title": "b", "labels": [{"word": "red"}]},
    ]
    assert after == [
        {"title": "a", "labels": [{"word": "blue"}]},
        {"title": "b", "labels": [{"word": "red"}]},
    ]
    assert red == [{"title": "b"}]
    assert alone == [{"word": "red"}]


class CachedPress(Container):
    articles = resource(Article, cache=Cache(seconds=600))
    labels = resource(Sticker)
    taggings = resource(Tagging)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_a_kept_answer_ends_with_the_links_it_was_made_of(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        press = in_memory(CachedPress) if store == "memory" else CachedPress(settings=_on(url))
        async with client_of(create_app(press)) as client:
            _ = await client.post("/articles", json={"title": "a"})
            _ = await client.post("/labels", json={"word": "red"})
            before = [(await client.get("/articles?labels.word=red")).json()["items"] for _ in range(2)]
            _ = await client.post("/taggings", json={"article_id": 1, "label_id": 1})
            after = (await client.get("/articles?labels.word=red")).json()["items"]

    assert before == [[], []]
    assert after == [{"id": 1, "title": "a"}]


class Undeclared(Container):
    articles = resource(Article)
    labels = resource(Sticker)


async def test_an_association_table_that_is_no_resource_is_empty_in_memory() -> None:
    async with client_of(create_app(in_memory(Undeclared))) as client:
        _ = await client.post("/articles", json={"title": "a"})
        shown = (await client.get("/articles?include=labels")).json()["items"]
        alone = (await client.get("/articles?labels__isnull=true&fields=id")).json()["items"]

    assert shown == [{"id": 1, "title": "a", "labels": []}]
    assert alone == [{"id": 1}]


class Team(Model):
    """Two many-to-many relations: one with a table of Tortoise's own naming, one through a model that comes later."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=20)
    fans: Any = fields.ManyToManyField("models.Person", related_name="likes")
    members: Any = fields.ManyToManyField(
        "models.Person",
        related_name="teams",
        through="many_membership",
        backward_key="team_id",
        forward_key="person_id",
    )

    class Meta:
        table = "many_team"


class Person(Model):
    """A member of teams, and a fan of others."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=20)

    class Meta:
        table = "many_person"


class Membership(Model):
    """What is known of a member besides."""

    id = fields.IntField(primary_key=True)
    team: Any = fields.ForeignKeyField("models.Team", related_name="memberships")
    person: Any = fields.ForeignKeyField("models.Person", related_name="memberships")
    role = fields.CharField(max_length=20, db_default="player")

    class Meta:
        table = "many_membership"
        unique_together = (("team", "person"),)


class Club(Container):
    teams = resource(Team)
    people = resource(Person)
    memberships = resource(Membership)


class ClubWithoutMemberships(Container):
    teams = resource(Team)
    people = resource(Person)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_tortoises_models_are_related_through_a_model(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        club = in_memory(Club) if store == "memory" else Club(settings=_on(url))
        async with client_of(create_app(club)) as client:
            _ = await client.post("/teams", json={"name": "reds"})
            for name in ("Ann", "Ben"):
                _ = await client.post("/people", json={"name": name})
            made = await client.post("/memberships", json={"team_id": 1, "person_id": 2, "role": "coach"})
            twice = await client.post("/memberships", json={"team_id": 1, "person_id": 2})
            shown = (await client.get("/teams?include=members,fans,memberships")).json()["items"]
            found = (await client.get("/people?teams.name=reds&fields=name")).json()["items"]
            coaches = (await client.get("/people?memberships.role=coach&fields=name")).json()["items"]

    membership = {"id": 1, "team_id": 1, "person_id": 2, "role": "coach"}
    assert made.json() == membership
    assert twice.status_code == 409
    assert shown == [
        {
            "id": 1,
            "name": "reds",
            "members": [{"id": 2, "name": "Ben"}],
            "fans": [],
            "memberships": [membership],
        }
    ]
    assert found == coaches == [{"name": "Ben"}]


async def test_tortoises_own_methods_link_through_every_table(tmp_path: Path) -> None:
    club = ClubWithoutMemberships(settings=_on(f"sqlite:///{tmp_path / 'club.db'}"))
    async with client_of(create_app(club)) as client:
        _ = await client.post("/teams", json={"name": "reds"})
        _ = await client.post("/people", json={"name": "Ann"})
        with club.databases.default().activate():
            team, ann = await Team.get(id=1), await Person.get(id=1)
            await team.fans.add(ann)
            await team.members.add(ann)
        shown = (await client.get("/teams?include=members,fans&fields=id,members.name,fans.name")).json()[
            "items"
        ]

    assert shown == [{"id": 1, "members": [{"name": "Ann"}], "fans": [{"name": "Ann"}]}]


class Crew(Model):
    """Its through model calls its columns otherwise."""

    id = fields.IntField(primary_key=True)
    sailors: Any = fields.ManyToManyField("models.Sailor", related_name="crews", through="many_berth")

    class Meta:
        table = "many_crew"


class Sailor(Model):
    """A member of crews."""

    id = fields.IntField(primary_key=True)

    class Meta:
        table = "many_sailor"


class Berth(Model):
    """Where a sailor sleeps."""

    id = fields.IntField(primary_key=True)
    ship: Any = fields.ForeignKeyField("models.Crew", related_name="berths")
    sailor: Any = fields.ForeignKeyField("models.Sailor", related_name="berths")

    class Meta:
        table = "many_berth"


async def test_a_through_model_without_the_columns_is_refused(tmp_path: Path) -> None:
    class Fleet(Container):
        crews = resource(Crew)
        sailors = resource(Sailor)
        berths = resource(Berth)

    with pytest.raises(DeclarationError) as refused:
        async with open_kernel(Fleet(settings=_on(f"sqlite:///{tmp_path / 'fleet.db'}"))):
            pass

    assert "Crew.sailors goes through many_berth, the table of Berth, which has no column" in str(
        refused.value
    )
    assert "name those it has with backward_key=… and forward_key=…" in str(refused.value)
