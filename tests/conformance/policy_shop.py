"""A shop whose policy uses everything that a policy can: rows, fields, stamps, relations, actions."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from fastapi_easy.application import Context
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    READ_ONLY,
    Cache,
    Fields,
    Grant,
    Key,
    Operation,
    Operator,
    Outcome,
    Patch,
    Principal,
    QueryRules,
    Resource,
    Tenant,
    Where,
    to_many,
    to_one,
)
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.settings import Settings
from fastapi_easy.testing.conformance import PolicyConformance

EDITORS: Final = frozenset({"editor"})


@dataclass(frozen=True)
class RetitleBook:
    """Give a book another title."""

    title: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        return await work.repository("books").update(key, Patch({"title": self.title}))


class ShopPolicy:
    """Implements `Policy`: editors do everything with what is theirs, and everybody reads the genres."""

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Any:
        return _Permissions(principal)


@dataclass(frozen=True)
class _Permissions:
    principal: Principal

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        if resource.name == "genres":
            return Grant() if action in READ_ONLY else None
        if not EDITORS & self.principal.roles:
            return None
        own = Where("owner", Operator.EQUALS, self.principal.id)
        stamps = {"owner": self.principal.id}
        if resource.name != "books":
            return Grant(rows=own, stamps=stamps)
        return Grant(
            rows=own,
            readable=frozenset(resource.readable) - {"cost"},
            writable=frozenset(resource.writable) - {"rank"},
            stamps=stamps,
        )


def shop_of(
    genre: type[Any], author: type[Any], book: type[Any], cache: Cache | None = None
) -> type[Container]:
    """The shop with entities of these classes, whose answers may be kept in a *cache*."""
    alive = set(Operation) - {Operation.UPSERT, Operation.RESTORE, Operation.PURGE, Operation.HISTORY}

    class Shop(Container):
        genres = resource(genre, operations=tuple(alive), cache=cache)
        authors = resource(
            author,
            operations=tuple(alive),
            cache=cache,
            fields=Fields(write=("name", "rival_id")),
            query=QueryRules(search=("name",)),
            relations={"rival": to_one(author, by="rival_id"), "books": to_many(book, by="author_id")},
        )
        books = resource(
            book,
            operations=tuple(Operation),
            cache=cache,
            fields=Fields(write=("isbn", "title", "author_id", "genre_id", "cost", "rank")),
            query=QueryRules(search=("title",)),
            relations={"author": to_one(author, by="author_id"), "genre": to_one(genre, by="genre_id")},
            actions=[RetitleBook],
            upsert=("isbn",),
            version="version",
            soft_delete="deleted_at",
        )

    return Shop


def opened_at(shop: type[Container], url: str) -> Any:
    """An instance of *shop* with its policy, in the database at *url*."""
    settings = Settings.model_validate({"databases": {"default": {"url": url}}})
    return shop(settings=settings, policy=ShopPolicy())


class ShopConformance(PolicyConformance):
    """The suite, with the callers of the shop."""

    owner = Principal(id="ada", roles=EDITORS, tenant="north")
    foreign = Principal(id="eve", roles=EDITORS, tenant="south")
    powerless = Principal(id="bob")
    public: ClassVar = {"genres": {"read"}}
    unreadable: ClassVar = {"books": {"cost"}}
    unwritable: ClassVar = {"books": {"rank"}}
