"""Which technology keeps what: classes find the one that reads them, URLs and databases the one behind them."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.domain.errors import DeclarationError, Outcome, Unsupported
from fastapi_easy.domain.ports import Breaker, Database, DatabaseRequest, Technology, Tracer
from fastapi_easy.domain.ports.unit_of_work import innermost
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.entities.misdeclared import unmapped_heir
from fastapi_easy.infrastructure.technologies.registry import (
    imported_technologies,
    installed_technologies,
    technologies_for_url,
)
from fastapi_easy.settings import Settings

__all__ = [
    "describe",
    "is_embedded",
    "open_database",
    "stamp_fence",
    "technology_at",
    "technology_of",
]

_POSTGRES_ONLY: Final[Mapping[str, object]] = {"row_security": False, "pooler": "auto"}
"""Settings that only PostgreSQL has a use for, and what they are when nobody has set them."""


def describe(entity: type[Any], database: Database | None = None) -> Shape:
    """Read the shape of *entity* with the technology that knows classes like it.

    Args:
        entity: The class.

        database: Where its entities are to live; a technology of another package that opens such is asked first.

    Raises:
        DeclarationError: No technology knows such classes, or the class has mistakes.
    """
    for each in _candidates(database):
        if each.recognises(entity):
            return each.describe(entity)
    raise DeclarationError(
        [
            unmapped_heir(entity)
            or (
                f"{entity!r} is not supported by any adapter: use an SQLAlchemy declarative class, "
                "an SQLModel table, a Tortoise model, a pydantic model or a dataclass"
            )
        ]
    )


def open_database(
    settings: Settings,
    name: str,
    kept: Sequence[type[Any]] = (),
    breaker: Callable[[], Breaker | None] = lambda: None,
    tracer: Tracer | None = None,
) -> Database:
    """Build the database that the settings name *name*; nothing is connected yet.

    Args:
        settings: Say where it is.

        name: Which one.

        kept: The classes whose entities live there.

        breaker: Gives the breaker that it is asked through; asked for anew each time.

        tracer: Records what it is asked.

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
    with _naming(name):
        technology = _chosen(name, url, kept)
    if technology.database is None:
        raise DeclarationError(
            [f"database {name!r}: {technology.name} stores no entities, only leases (locks.url)"]
        )
    limits = chosen.model_dump(exclude={"url", "migrations", "breaker", *_POSTGRES_ONLY})
    for each, default in _POSTGRES_ONLY.items():
        if (value := getattr(chosen, each)) == default:
            continue
        if not url.startswith("postgres"):
            raise DeclarationError(
                [f"database {name!r}: {each} needs PostgreSQL: leave it out of the settings"]
            )
        limits[each] = value
    with _naming(name):
        return technology.open(
            DatabaseRequest(
                name=name, url=url, limits=limits, entities=tuple(kept), breaker=breaker, tracer=tracer
            )
        )


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Say of which database mistakes are that do not say it themselves."""
    try:
        yield
    except DeclarationError as error:
        where = f"database {name!r}"
        raise DeclarationError(
            [each if each.startswith(where) else f"{where}: {each}" for each in error.mistakes]
        ) from error.__cause__


def technology_at(url: str) -> Technology:
    """Return the technology that *url* belongs to.

    Raises:
        DeclarationError: It cannot be read, nothing opens it, or what would is not installed.
    """
    return next(technologies_for_url(url))


@functools.lru_cache(maxsize=64)
def is_embedded(url: str) -> bool:
    """Return whether *url* means something embedded, which no network separates from this process.

    Raises:
        DeclarationError: As for `technology_at`.
    """
    return technology_at(url).is_embedded(url)


def technology_of(database: Database) -> Technology:
    """Return the technology of *database*.

    A database of your own, put in place of one in `Container.databases`, may say itself how to work with it: it has
    the attributes `repository` and `unit_of_work` of a `Technology`, under these names.

    Raises:
        DeclarationError: Nobody knows how.
    """
    kind = type(database)
    known = _TECHNOLOGY_BY_CLASS.get(kind)
    return _find_technology(database) if known is None else known


def _find_technology(database: Any) -> Technology:
    """Return the technology of the first database of its kind."""
    kind = type(database)
    for each in imported_technologies():
        if each.database is kind:
            return _TECHNOLOGY_BY_CLASS.setdefault(kind, each)
    built_in = {each.database: each for each in imported_technologies()}
    is_built_in = any(base in built_in for base in kind.__mro__)
    if not is_built_in and hasattr(database, "repository") and hasattr(database, "unit_of_work"):
        return Technology(
            name=kind.__name__,
            database=kind,
            repository=database.repository,
            unit_of_work=database.unit_of_work,
        )
    others = {each.database: each for each in installed_technologies()}
    # The nearest that it comes from: one technology may stand on another.
    for base in kind.__mro__:
        if base in others:
            _INSTALLED_CLASSES.add(kind)
            return _TECHNOLOGY_BY_CLASS.setdefault(kind, others[base])
        if base in built_in:
            return _TECHNOLOGY_BY_CLASS.setdefault(kind, built_in[base])
    raise DeclarationError(
        [
            f"{kind.__name__} has no known repository and unit of work: set the attributes repository and unit_of_work"
        ]
    )


_TECHNOLOGY_BY_CLASS: Final[dict[type[Any], Technology]] = {}
_INSTALLED_CLASSES: Final[set[type[Any]]] = set()
"""Kinds of databases, as they were met; of the second, those whose technology is another package's."""


async def stamp_fence(work: Any, name: str, token: int) -> Outcome[bool]:
    """Stamp *name* with *token* in the transaction of *work*; whether no larger one is there.

    Fails with:
        Unsupported: Its database has no fence.

        Unavailable: It did not answer.
    """
    inner = innermost(work)
    database = getattr(inner, "database", None)
    fence = None if database is None else technology_of(database).fence
    return Failure(Unsupported(name, "fencing")) if fence is None else await fence(inner, name, token)


def _chosen(name: str, url: str, kept: Sequence[type[Any]]) -> Technology:
    """Return the technology that opens *url* and can keep *kept*."""
    opening = list(technologies_for_url(url, kept))
    for each in opening:
        own_entities = [entity for entity in kept if each.is_exclusive and each.recognises(entity)]
        if own_entities and len(own_entities) < len(kept):
            others = ", ".join(entity.__name__ for entity in kept if entity not in own_entities)
            names = ", ".join(entity.__name__ for entity in own_entities)
            raise DeclarationError(
                [
                    (
                        f"database {name!r} cannot hold {each.name} models ({names}) and other classes ({others}) at "
                        "once: name a second database in the settings and give it to one of them with database=…"
                    )
                ]
            )
        if own_entities:
            return each
    return next((each for each in opening if not each.is_exclusive), opening[0])


def _candidates(database: Database | None) -> Iterator[Technology]:
    """Yield the technologies that may know a class, in the order in which they are asked."""
    if database is not None:
        own = technology_of(database)
        if type(database) in _INSTALLED_CLASSES:
            yield own
    yield from imported_technologies()
    yield from installed_technologies()
