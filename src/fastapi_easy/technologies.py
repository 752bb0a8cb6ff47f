"""Which technology keeps what: classes find the adapter that reads them, URLs the one that stores.

Adapters are imported here, inside functions, when they are chosen.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Database, Repository, UnitOfWork
from fastapi_easy.domain.resource import Shape
from fastapi_easy.settings import DatabaseSettings, Settings

__all__ = ["Kit", "describe", "kit_of", "open_database"]


@dataclass(frozen=True, slots=True)
class Kit:
    """How to work with one kind of database.

    Attributes:
        repository: Makes a repository that stands alone, from a resource and the database.

        unit_of_work: Makes a unit of work from the database, the resources by name, the providers of their
            repositories, and the event bus.
    """

    repository: Callable[..., Repository[Any]]
    unit_of_work: Callable[..., UnitOfWork]


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
                "an SQLModel table, a pydantic model or a dataclass"
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
    from fastapi_easy.infrastructure.persistence.memory import mapping as memory

    yield memory.recognises, memory.describe


def open_database(settings: Settings, name: str) -> Database:
    """The database that the settings name *name*; nothing is connected yet.

    Raises:
        DeclarationError: The settings do not name it, or its driver is not installed.
    """
    if name not in settings.databases:
        raise DeclarationError(
            [f"database {name!r} is not in the settings: set FASTAPI_EASY_DATABASES__{name.upper()}__URL"]
        )
    chosen = settings.databases[name]
    url = chosen.url.get_secret_value()
    return _memory(name) if url.startswith("memory:") else _sqlalchemy(name, url, chosen)


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
    from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
    from fastapi_easy.infrastructure.persistence.memory.repository import MemoryRepository
    from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork

    yield MemoryDatabase, Kit(MemoryRepository, MemoryUnitOfWork)
    if "sqlalchemy" in sys.modules:
        from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
        from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
        from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork

        yield SqlAlchemyDatabase, Kit(SqlAlchemyRepository, SqlAlchemyUnitOfWork)


def _memory(name: str) -> Database:
    from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase

    return MemoryDatabase(name)


def _sqlalchemy(name: str, url: str, chosen: DatabaseSettings) -> Database:
    from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
    from fastapi_easy.infrastructure.persistence.sqlalchemy.options import ConnectionOptions

    options = ConnectionOptions(**chosen.model_dump(exclude={"url", "schema_mode"}))
    return SqlAlchemyDatabase(name, url, options)
