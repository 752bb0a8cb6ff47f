"""A shop whose books have rules, on every kind of store."""

from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import Request
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import Context
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Key, Outcome, Patch, Principal, to_one
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.policies import ANYONE, AUTHENTICATED, RolePolicy, Where, allow, principal


class Author(SQLModel, table=True):
    __tablename__ = "ruled_author"
    id: int | None = Column(default=None, primary_key=True)
    name: str = Column(max_length=40)
    country: str = Column(max_length=2)


class Book(SQLModel, table=True):
    __tablename__ = "ruled_book"
    id: int | None = Column(default=None, primary_key=True)
    title: str = Column(max_length=40)
    owner_id: int
    price: int = 0
    author_id: int | None = Column(default=None, foreign_key="ruled_author.id")


@dataclass
class PlainAuthor:
    name: str
    country: str
    id: int | None = None


@dataclass
class PlainBook:
    title: str
    owner_id: int
    price: int = 0
    author_id: int | None = None
    id: int | None = None


@dataclass(frozen=True)
class Discount:
    """Make a book cheaper."""

    by: int = field(default=1)

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        books = work.repository("books")
        found = await books.read(key)
        if isinstance(found, Failure):
            return found
        return await books.update(key, Patch({"price": found.unwrap()["price"] - self.by}))


RULES = [
    allow("read", to=ANYONE, fields=["id", "title"]),
    allow(
        "create",
        "update",
        "bulk",
        to="editor",
        rows=Where("owner_id") == principal.id,
        write=["title", "price"],
        stamps={"owner_id": principal.id},
    ),
    allow("discount", to=AUTHENTICATED, rows=Where("author.country") == principal.claims["country"]),
    allow("*", to="admin"),
]


class Shop(Container):
    policy = RolePolicy({"$authenticated": ["authors:read"], "admin": ["*"]})
    authors = resource(Author)
    books = resource(
        Book, policy=RULES, actions=[Discount], relations={"author": to_one(Author, by="author_id")}
    )


class PlainShop(Container):
    policy = RolePolicy({"$authenticated": ["authors:read"], "admin": ["*"]})
    authors = resource(PlainAuthor)
    books = resource(
        PlainBook,
        policy=RULES,
        actions=[Discount],
        relations={"author": to_one(PlainAuthor, by="author_id")},
    )


def caller_of(request: Request) -> Principal:
    """The principal that the headers of a request name, as a gateway would."""
    headers = request.headers
    claims = {"country": headers["x-country"]} if "x-country" in headers else {}
    return Principal(
        id=headers.get("x-user", ""),
        roles=frozenset(headers.get("x-roles", "").split()),
        scopes=frozenset(headers["x-scopes"].split()) if "x-scopes" in headers else None,
        claims=claims,
    )


ADMIN = {"x-user": "1", "x-roles": "admin"}
ADA = {"x-user": "7", "x-roles": "editor"}
BOB = {"x-user": "8", "x-roles": "editor"}


async def fill(client: httpx2.AsyncClient) -> None:
    """Store an author and two books: 1 of Ada's, 2 of somebody else's."""
    author = {"name": "Jane", "country": "GB"}
    assert (await client.post("/authors", json=author, headers=ADMIN)).status_code == 201
    for owner, title in ((7, "Emma"), (3, "Persuasion")):
        book = {"title": title, "owner_id": owner, "price": 9, "author_id": 1}
        assert (await client.post("/books", json=book, headers=ADMIN)).status_code == 201
