"""The checks of `doctor`, none of which changes anything."""

import asyncio
import importlib.metadata
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from returns.result import Failure

from fastapi_easy.application.migrations.planning.safe_part import select_safe_part
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.silence import describe_silence
from fastapi_easy.interfaces.cli.migrate.proposal import Proposal
from fastapi_easy.interfaces.cli.tasks import Check, CommandError, State, Target

Propose: TypeAlias = Callable[[], Awaitable[Outcome[Proposal]]]

CHECK_TIMEOUT: Final = 15.0
"""Seconds for one database; longer than the database's own timeouts, which report the cause."""

_ABSENT: Final = re.compile(r".*: the (table|collection) .+ does not exist", re.DOTALL)
"""Each message about a table that is missing entirely, which a start may create."""

_OPTIONAL_PACKAGES: Final[Mapping[str, str]] = {
    "uvloop": "a faster event loop",
    "httptools": "a faster HTTP parser, the largest gain of all",
    "asyncmy": "a faster driver for MariaDB and MySQL",
}
_EXTRA: Final[Mapping[str, str]] = {"asyncmy": "mysql-fast"}


def check_mistakes(area: str, mistakes: Sequence[str]) -> list[Check]:
    """Return one failed check for each of *mistakes*."""
    return [Check(area, State.WRONG, each) for each in mistakes]


def check_refusal(error: CommandError) -> list[Check]:
    """Return one failed check for each mistake because of which the program does not start."""
    subject = getattr(error.__cause__, "subject", "declarations")
    return check_mistakes(subject.removesuffix("s"), error.mistakes)


def check_warnings(warnings: Sequence[str]) -> list[Check]:
    """Return a note for each of *warnings* about settings."""
    return [Check("setting", State.NOTE, each) for each in warnings]


def no_resources(target: Target) -> Check:
    """Return a note that the app at *target* has no resources."""
    return Check("declaration", State.NOTE, f"{target.path} has no resources")


def check_resources(resources: Sequence[Resource[Any]]) -> list[Check]:
    """Return one check for each resource, which describes it."""
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


def check_sqlite_file(name: str, url: str) -> Check | None:
    """Return a note if the file of an SQLite database does not exist yet; `doctor` must not open that database.

    Args:
        name: The name of the database.

        url: The URL of the database.
    """
    # Opening an SQLite database creates its file, and `doctor` creates nothing.
    file = absent_file(url)
    if file is None:
        return None
    known = {"database": name, "technology": "SQLite"}
    return Check(
        "database", State.NOTE, f"{name}: {file} does not exist yet; the first start creates it", known
    )


def absent_file(url: str) -> str | None:
    """Return the file of SQLite that *url* names, if it does not exist yet; else `None`."""
    scheme, _, path = url.partition(":///")
    file = unquote(path.partition("?")[0])
    if not scheme.startswith("sqlite") or file in {"", ":memory:"} or file.startswith("file:"):
        return None
    return None if Path(file).exists() else file


async def check_database(
    database: Database,
    resources: Sequence[Resource[Any]],
    policy: MigrationPolicy,
    propose: Propose | None = None,
) -> list[Check]:
    """Check whether *database* answers and has the schema that its resources need.

    Args:
        database: A database that is not open; it is closed again afterwards.

        resources: The resources in this database, declared without mistakes.

        policy: What the next start does to the schema.

        propose: Returns what leads to the declared schema; `None` where nothing can.
    """
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await _check_opened(database, resources, policy, propose)
    except TimeoutError:
        return [_failed_check(database, f"did not answer within {CHECK_TIMEOUT:.0f} s")]
    except DeclarationError as error:
        return [_failed_check(database, mistake) for mistake in error.mistakes]


async def _check_opened(
    database: Database,
    resources: Sequence[Resource[Any]],
    policy: MigrationPolicy,
    propose: Propose | None,
) -> list[Check]:
    await database.open()
    try:
        began = time.perf_counter()
        answered = await database.check()
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        if isinstance(answered, Failure):
            said = describe_silence(answered.failure(), database.name)
            return [_failed_check(database, f"{said} ({milliseconds} ms)", milliseconds=milliseconds)]
        schema = await _check_schema(database, resources, policy, propose)
        return [_available_check(database, milliseconds), *schema]
    finally:
        await database.close()


def _available_check(database: Database, milliseconds: float) -> Check:
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


async def _check_schema(
    database: Database,
    resources: Sequence[Resource[Any]],
    policy: MigrationPolicy,
    propose: Propose | None,
) -> list[Check]:
    if not resources:
        return []
    compared = await database.prepare(resources, SchemaMode.CHECK)
    if isinstance(compared, Failure):
        return [_failed_check(database, "does not answer when it is asked for its schema")]
    known = {"database": database.name}
    differences = compared.unwrap()
    if propose is not None and policy is not MigrationPolicy.OFF:
        pending = await _check_migrations(database, propose, policy, runs=not differences)
        if pending:
            return pending
    if not differences:
        return [Check("schema", State.OK, f"{database.name}: as declared", known)]
    absent = [_ABSENT.fullmatch(each) is not None for each in differences]
    is_empty = all(absent) and len(absent) == len(resources)
    creates = policy is MigrationPolicy.AUTO or (policy is MigrationPolicy.CHECK and is_empty)
    found = []
    for difference, is_absent in zip(differences, absent, strict=True):
        is_created = is_absent and creates
        state = State.NOTE if is_created or policy is MigrationPolicy.OFF else State.WRONG
        end = "; the next start will create it" if is_created else ""
        found.append(Check("schema", state, f"{database.name}: {difference}{end}", known))
    return found


async def _check_migrations(
    database: Database, propose: Propose, policy: MigrationPolicy, *, runs: bool
) -> list[Check]:
    """Return what has to be done to the stored schema, and by whom; nothing where a start creates all of it.

    Args:
        database: The database.

        propose: Returns what leads to the declared schema.

        policy: What the next start does.

        runs: The program could run as it is.
    """
    known = {"database": database.name}
    proposed = await propose()
    if isinstance(proposed, Failure):
        error = proposed.failure()
        if isinstance(error, MigrationStopped):
            return [Check("schema", State.WRONG, f"{database.name}: {error.message}", known)]
        return []
    proposal = proposed.unwrap()
    steps = proposal.plan.steps
    if policy is MigrationPolicy.CHECK and all(_creates(each) for each in steps):
        return []
    safe = select_safe_part(proposal.plan).steps if policy is MigrationPolicy.AUTO else ()
    found = [
        Check("schema", State.NOTE, f"{database.name}: {each.summary}; the next start does it", known)
        for each in safe
    ]
    state, end = (State.NOTE, "the program runs without it") if runs else (State.WRONG, "a start refuses")
    left = [each for each in steps if each not in safe]
    found += [
        Check("schema", state, f"{database.name}: {each.summary} ({each.risk.value}); {end}", known)
        for each in left
    ]
    if left:
        said = (f"to have it done: {proposal.command}", *proposal.notes)
        found += [Check("schema", State.NOTE, f"{database.name}: {each}", known) for each in said]
    return found


def _creates(step: Step) -> bool:
    return all(
        each.kind is ChangeKind.CREATE_TABLE or each.facts.get("new_table", False) for each in step.changes
    )


def _failed_check(database: Database, what: str, **details: object) -> Check:
    known = {"database": database.name, "technology": database.technology, **details}
    return Check("database", State.WRONG, f"{database.name} ({database.technology}): {what}", known)


def check_speed() -> list[Check]:
    """Check which of the optional packages for speed are installed."""
    found = []
    for name, use in _OPTIONAL_PACKAGES.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            extra = _EXTRA.get(name, "speed")
            message = f'{name} is not installed, {use}: pip install "fastapi_easy[{extra}]"'
            found.append(Check("speed", State.NOTE, message, {"package": name, "version": None}))
        else:
            found.append(Check("speed", State.OK, f"{name} {version}", {"package": name, "version": version}))
    return found


def check_secret(*, is_set: bool, variable: str) -> Check:
    """Check whether pagination cursors stay valid after a restart."""
    if is_set:
        return Check("secret", State.OK, "is set", {"is_set": True})
    return Check(
        "secret",
        State.NOTE,
        f"is not set, so page cursors become invalid when the server restarts: set {variable} to 32 random characters",
        {"is_set": False},
    )
