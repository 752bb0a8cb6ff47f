"""Which technology keeps what: classes find the adapter that reads them, URLs the one that stores.

Adapters are imported here, inside functions, when they are chosen.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.domain.errors import DeclarationError, Outcome, Unsupported
from fastapi_easy.domain.ports import (
    Breaker,
    Database,
    Repository,
    UnitOfWork,
)
from fastapi_easy.domain.resource import Shape
from fastapi_easy.settings import DatabaseSettings, Settings

__all__ = [
    "Kit",
    "describe",
    "kit_of",
    "open_database",
    "stamp_fence",
]


@dataclass(frozen=True, slots=True)
class Kit:
    """How to work with one kind of database.

    Attributes:
        repository: Makes a repository that stands alone, from a resource and the database.

        unit_of_work: Makes a unit of work from the database, the resources by name, the providers of their
            repositories, and the event bus.

        fence: Stamps a name with a token in a unit of work; see `Lease.guard`.
    """

    repository: Callable[..., Repository[Any]]
    unit_of_work: Callable[..., UnitOfWork]
    fence: Callable[[Any, str, int], Awaitable[Outcome[bool]]] | None = None


def describe(entity: type[Any]) -> Shape:
    """What the adapter that knows classes like *entity* reads from it.

    Raises:
        DeclarationError: No adapter knows such classes, or the class has mistakes.
    """
    for recognises, describe in _mappings():
        if recognises(entity):
            return describe(entity)
    raise DeclarationError(
        [
            (
                f"{entity!r} is not a class that any adapter knows: use an SQLAlchemy declarative class, "
                "an SQLModel table, a Tortoise model, a pydantic model or a dataclass"
            )
        ]
    )


def _mappings() -> Iterator[tuple[Callable[[type[Any]], bool], Callable[[type[Any]], Shape]]]:
    # Only a library that is already imported can have made the class.
    if "sqlmodel" in sys.modules:
        from fastapi_easy.infrastructure.persistence.sqlmodel import mapping as sqlmodel

        yield sqlmodel.recognises, sqlmodel.describe
    if "sqlalchemy" in sys.modules:
        from fastapi_easy.infrastructure.persistence.sqlalchemy import mapping as sqlalchemy

        yield sqlalchemy.recognises, sqlalchemy.describe
    if "tortoise" in sys.modules:
        from fastapi_easy.infrastructure.persistence.tortoise import mapping as tortoise

        yield tortoise.recognises, tortoise.describe
    from fastapi_easy.infrastructure.entities import plain

    yield plain.recognises, plain.describe


def open_database(
    settings: Settings,
    name: str,
    kept: Sequence[type[Any]] = (),
    breaker: Callable[[], Breaker | None] = lambda: None,
) -> Database:
    """The database that the settings name *name*; nothing is connected yet.

    Args:
        settings: Say where it is.

        name: Which one.

        kept: The classes whose entities live there.

        breaker: Gives the breaker that it is asked through; asked for anew each time.

    Raises:
        DeclarationError: The settings do not name it, its driver is not installed, or it cannot hold classes that are
            so unlike each other.
    """
    if name not in settings.databases:
        raise DeclarationError(
            [f"database {name!r} is not in the settings: set FASTAPI_EASY_DATABASES__{name.upper()}__URL"]
        )
    chosen = settings.databases[name]
    url = chosen.url.get_secret_value()
    if url.startswith("memory:"):
        return _memory(name)
    if url.startswith("mongodb"):
        return _mongo(name, url, chosen, breaker)
    models = tuple(each for each in kept if _is_tortoise(each))
    if models and len(models) < len(kept):
        mine = ", ".join(each.__name__ for each in models)
        others = ", ".join(each.__name__ for each in kept if each not in models)
        raise DeclarationError(
            [
                (
                    f"database {name!r} cannot hold Tortoise models ({mine}) and other classes ({others}) at once: "
                    "name a second database in the settings and give it to one of them with database=…"
                )
            ]
        )
    if models:
        return _tortoise(name, url, chosen, models, breaker)
    return _sqlalchemy(name, url, chosen, breaker)


def kit_of(database: Database) -> Kit:
    """How to work with *database*.

    A database of your own, put in place of one in `Container.databases`, says so itself: it has the attributes
    `repository` and `unit_of_work` of a `Kit`, under these names.

    Raises:
        DeclarationError: Nobody knows how.
    """
    known = _KITS.get(type(database))
    if known is None:
        known = _KITS[type(database)] = _find_kit(database)
    return known


_KITS: Final[dict[type[Any], Kit]] = {}


def _find_kit(database: Database) -> Kit:
    for kind, kit in _known_kits():
        if isinstance(database, kind):
            return kit
    if hasattr(database, "repository") and hasattr(database, "unit_of_work"):
        return Kit(database.repository, database.unit_of_work)
    raise DeclarationError(
        [f"{type(database).__name__} does not say which repository and unit of work it takes"]
    )


def _known_kits() -> Iterator[tuple[type[Any], Kit]]:
    from fastapi_easy.infrastructure.locks import memory_fence
    from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
    from fastapi_easy.infrastructure.persistence.memory.repository import MemoryRepository
    from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork

    yield MemoryDatabase, Kit(MemoryRepository, MemoryUnitOfWork, memory_fence.stamp)
    if "pymongo" in sys.modules:
        from fastapi_easy.infrastructure.locks import mongo_fence
        from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
        from fastapi_easy.infrastructure.persistence.mongo.repository import MongoRepository
        from fastapi_easy.infrastructure.persistence.mongo.unit_of_work import MongoUnitOfWork

        yield MongoDatabase, Kit(MongoRepository, MongoUnitOfWork, mongo_fence.stamp)
    if "tortoise" in sys.modules:
        from fastapi_easy.infrastructure.locks import relational_fence
        from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
        from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase
        from fastapi_easy.infrastructure.persistence.tortoise.unit_of_work import TortoiseUnitOfWork

        yield TortoiseDatabase, Kit(SqlAlchemyRepository, TortoiseUnitOfWork, relational_fence.stamp)
    if "sqlalchemy" in sys.modules:
        from fastapi_easy.infrastructure.locks import relational_fence
        from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
        from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
        from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork

        yield SqlAlchemyDatabase, Kit(SqlAlchemyRepository, SqlAlchemyUnitOfWork, relational_fence.stamp)


async def stamp_fence(work: Any, name: str, token: int) -> Outcome[bool]:
    """Stamp *name* with *token* in the transaction of *work*; whether no larger one is there.

    Fails with:
        Unsupported: Its database has no fence.

        Unavailable: It did not answer.
    """
    database = getattr(work, "database", None)
    fence = None if database is None else kit_of(database).fence
    return Failure(Unsupported(name, "fencing")) if fence is None else await fence(work, name, token)


def _memory(name: str) -> Database:
    from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase

    return MemoryDatabase(name)


def _mongo(name: str, url: str, chosen: DatabaseSettings, breaker: Callable[[], Breaker | None]) -> Database:
    from fastapi_easy.infrastructure.persistence.mongo.url import resolve

    # Says which driver is missing, before it is missed.
    _ = resolve(url)
    from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
    from fastapi_easy.infrastructure.persistence.mongo.options import ConnectionOptions

    limits = _limits(chosen)
    # The server has one of its own for all, a minute.
    del limits["transaction_timeout"]
    return MongoDatabase(name, url, ConnectionOptions(**limits), breaker)


def _sqlalchemy(
    name: str, url: str, chosen: DatabaseSettings, breaker: Callable[[], Breaker | None]
) -> Database:
    from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
    from fastapi_easy.infrastructure.persistence.sqlalchemy.options import ConnectionOptions

    return SqlAlchemyDatabase(name, url, ConnectionOptions(**_limits(chosen)), breaker)


def _limits(chosen: DatabaseSettings) -> dict[str, Any]:
    return chosen.model_dump(exclude={"url", "schema_mode", "breaker"})


def _is_tortoise(entity: type[Any]) -> bool:
    if "tortoise" not in sys.modules:
        return False
    from fastapi_easy.infrastructure.persistence.tortoise.mapping import recognises

    return recognises(entity)


def _tortoise(
    name: str,
    url: str,
    chosen: DatabaseSettings,
    models: Sequence[type[Any]],
    breaker: Callable[[], Breaker | None],
) -> Database:
    from fastapi_easy.infrastructure.persistence.sqlalchemy.options import ConnectionOptions
    from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase

    return TortoiseDatabase(name, url, ConnectionOptions(**_limits(chosen)), models, breaker)
