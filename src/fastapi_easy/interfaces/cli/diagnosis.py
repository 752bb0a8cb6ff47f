"""The checks of `doctor`. They look and measure, and change nothing."""

import asyncio
import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from returns.result import Failure

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.interfaces.cli.tasks import Check, State, Target

PATIENCE: Final = 15.0
"""Seconds for one database; it has limits of its own, which are shorter."""

_BY_CREATING: Final = "schema_mode=create"
"""In the sentences about what is missing as a whole, which start mends where it may create."""

_SPEED: Final[Mapping[str, str]] = {
    "uvloop": "a faster event loop",
    "httptools": "a faster HTTP parser, the largest gain of all",
    "asyncmy": "a faster driver for MariaDB and MySQL",
}
_EXTRA: Final[Mapping[str, str]] = {"asyncmy": "mysql-fast"}


def check_mistakes(area: str, mistakes: Sequence[str]) -> list[Check]:
    """One check for each of *mistakes*."""
    return [Check(area, State.WRONG, each) for each in mistakes]


def nothing_declared(target: Target) -> Check:
    """That the app at *target* has no resources to look at."""
    return Check("declaration", State.NOTE, f"{target.path} has no resources")


def check_resources(resources: Sequence[Resource[Any]]) -> list[Check]:
    """What each resource is."""
    return [
        Check(
            "declaration",
            State.OK,
            f"{each.name}: {each.entity.__name__}, {len(each.fields)} fields, key {', '.join(each.key)}, "
            f"on database {each.database!r}",
            {"resource": each.name, "database": each.database},
        )
        for each in resources
    ]


def check_embedded(name: str, url: str) -> Check | None:
    """That the file of an SQLite database is not there yet, which opening the database would change.

    Args:
        name: Of the database.

        url: Where it is.
    """
    scheme, _, path = url.partition(":///")
    file = unquote(path.partition("?")[0])
    if not scheme.startswith("sqlite") or file in {"", ":memory:"} or file.startswith("file:"):
        return None
    if Path(file).exists():
        return None
    known = {"database": name, "technology": "SQLite"}
    return Check("database", State.NOTE, f"{name}: {file} is not there yet, the first start makes it", known)


async def check_database(
    database: Database, resources: Sequence[Resource[Any]], mode: SchemaMode
) -> list[Check]:
    """Whether *database* answers and holds what its resources need.

    Args:
        database: Not open yet; closed again afterwards.

        resources: Those that live in it, declared without mistakes.

        mode: What happens to its schema at start.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            return await _look(database, resources, mode)
    except TimeoutError:
        return [_wrong(database, f"did not answer within {PATIENCE:.0f} s")]
    except DeclarationError as error:
        return [_wrong(database, mistake) for mistake in error.mistakes]


async def _look(database: Database, resources: Sequence[Resource[Any]], mode: SchemaMode) -> list[Check]:
    await database.open()
    try:
        began = time.perf_counter()
        answered = await database.check()
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        if isinstance(answered, Failure):
            return [_wrong(database, f"does not answer ({milliseconds} ms)", milliseconds=milliseconds)]
        return [_answering(database, milliseconds), *await _compare(database, resources, mode)]
    finally:
        await database.close()


def _answering(database: Database, milliseconds: float) -> Check:
    capabilities = sorted(each.value for each in database.capabilities)
    return Check(
        "database",
        State.OK,
        f"{database.name}: {database.technology} answers in {milliseconds} ms; {', '.join(capabilities)}",
        {
            "database": database.name,
            "technology": database.technology,
            "capabilities": capabilities,
            "milliseconds": milliseconds,
        },
    )


async def _compare(database: Database, resources: Sequence[Resource[Any]], mode: SchemaMode) -> list[Check]:
    if not resources:
        return []
    compared = await database.prepare(resources, SchemaMode.CHECK)
    if isinstance(compared, Failure):
        return [_wrong(database, "does not answer when it is asked for its schema")]
    known = {"database": database.name}
    differences = compared.unwrap()
    if not differences:
        return [Check("schema", State.OK, f"{database.name}: as declared", known)]
    absent = [_BY_CREATING in each for each in differences]
    if mode is SchemaMode.FRESH and not (all(absent) and len(absent) == len(resources)):
        mode = SchemaMode.CHECK
    found = []
    for sentence, is_absent in zip(differences, absent, strict=True):
        mended = is_absent and mode in {SchemaMode.CREATE, SchemaMode.FRESH}
        state = State.NOTE if mended or mode is SchemaMode.OFF else State.WRONG
        end = ": the next start does" if mended else ""
        found.append(Check("schema", state, f"{database.name}: {sentence}{end}", known))
    return found


def _wrong(database: Database, what: str, **details: Any) -> Check:
    known = {"database": database.name, "technology": database.technology, **details}
    return Check("database", State.WRONG, f"{database.name} ({database.technology}): {what}", known)


def check_speed() -> list[Check]:
    """Which optional packages that make it faster are installed."""
    found = []
    for name, use in _SPEED.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            extra = _EXTRA.get(name, "speed")
            sentence = f'{name} is not installed, {use}: pip install "fastapi_easy[{extra}]"'
            found.append(Check("speed", State.NOTE, sentence, {"package": name, "version": None}))
        else:
            found.append(Check("speed", State.OK, f"{name} {version}", {"package": name, "version": version}))
    return found


def check_secret(*, is_set: bool, variable: str) -> Check:
    """Whether cursors outlive their process."""
    if is_set:
        return Check("secret", State.OK, "is set", {"is_set": True})
    return Check(
        "secret",
        State.NOTE,
        f"is not set, so page cursors end with the server that signed them: set {variable} to 32 random characters",
        {"is_set": False},
    )
