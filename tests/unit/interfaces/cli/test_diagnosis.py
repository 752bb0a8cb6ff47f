"""What `doctor` says about databases."""

import asyncio
from dataclasses import dataclass

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import DeclarationError, Unavailable
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.interfaces.cli import diagnosis
from fastapi_easy.interfaces.cli.migrate.proposal import Proposal
from fastapi_easy.interfaces.cli.tasks import State
from fastapi_easy.testing.resources import resource_from


@dataclass
class Book:
    id: int | None
    title: str


BOOKS = resource_from(describe(Book), "books", Book)


class ToldDatabase:
    """A database that answers as it is told."""

    name = "default"
    technology = "Told"
    capabilities = frozenset({Capability.TRANSACTIONS})

    def __init__(self, answer=None, differences=()):
        self.answer = answer or Success(None)
        self.differences = Success(differences)
        self.calls = []

    async def open(self):
        self.calls.append("open")

    async def close(self):
        self.calls.append("close")

    async def check(self):
        self.calls.append("check")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def prepare(self, resources, mode):
        self.calls.append(mode)
        return self.differences


async def states(database, policy=MigrationPolicy.CHECK):
    found = await diagnosis.check_database(database, [BOOKS], policy)
    return [(each.area, each.state, each.message) for each in found]


async def test_a_database_that_answers_is_well():
    found = await diagnosis.check_database(MemoryDatabase("default"), [BOOKS], MigrationPolicy.AUTO)

    assert [(each.area, each.state) for each in found] == [("database", State.OK), ("schema", State.OK)]
    assert found[0].details["technology"] == "memory"
    assert found[0].details["milliseconds"] >= 0
    assert "transactions" in found[0].details["capabilities"]


async def test_looks_at_the_schema_without_changing_it_and_closes():
    database = ToldDatabase()

    await states(database, MigrationPolicy.AUTO)

    assert database.calls == ["open", "check", SchemaMode.CHECK, "close"]


async def test_a_database_that_is_down_is_wrong_and_closed():
    database = ToldDatabase(answer=Failure(Unavailable("default")))

    ((area, state, sentence),) = await states(database)

    assert (area, state) == ("database", State.WRONG)
    assert sentence.startswith("default (Told): does not answer")
    assert database.calls[-1] == "close"


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (MigrationPolicy.AUTO, State.WRONG),
        (MigrationPolicy.CHECK, State.WRONG),
        (MigrationPolicy.OFF, State.NOTE),
    ],
)
async def test_differences_that_start_does_not_mend_are_wrong(policy, state):
    database = ToldDatabase(differences=("books has no column ink", "books.title holds bytes"))

    found = await states(database, policy)

    assert found[1:] == [
        ("schema", state, "default: books has no column ink"),
        ("schema", state, "default: books.title holds bytes"),
    ]


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (MigrationPolicy.AUTO, State.NOTE),
        (MigrationPolicy.CHECK, State.NOTE),
        (MigrationPolicy.OFF, State.NOTE),
    ],
)
async def test_a_table_that_start_creates_is_worth_a_note(policy, state):
    database = ToldDatabase(differences=("books: the table book does not exist",))

    found = await states(database, policy)

    assert [each[1] for each in found[1:]] == [state]


async def test_a_database_with_some_of_the_tables_is_not_fresh():
    database = ToldDatabase(differences=("books: the table book does not exist",))

    found = await diagnosis.check_database(database, [BOOKS, BOOKS], MigrationPolicy.CHECK)

    assert [each.state for each in found] == [State.OK, State.WRONG]


async def test_a_database_that_says_nothing_is_given_up(monkeypatch):
    class SilentDatabase(ToldDatabase):
        async def check(self):
            await asyncio.sleep(60)

    monkeypatch.setattr(diagnosis, "CHECK_TIMEOUT", 0.01)
    database = SilentDatabase()

    ((_, state, sentence),) = await states(database)

    assert (state, sentence) == (State.WRONG, "default (Told): did not answer within 0 s")
    assert database.calls == ["open", "close"]


async def test_mistakes_of_a_database_are_listed():
    database = ToldDatabase(answer=DeclarationError(["no driver", "no URL"]))

    assert [sentence for _, _, sentence in await states(database)] == [
        "default (Told): no driver",
        "default (Told): no URL",
    ]


@pytest.mark.parametrize(
    ("url", "absent"),
    [
        pytest.param("sqlite:///gone.sqlite3", True, id="no file yet"),
        pytest.param("sqlite+aiosqlite:///gone.sqlite3?mode=rw", True, id="with driver and query"),
        pytest.param("sqlite:///with%20space", False, id="there"),
        pytest.param("sqlite://", False, id="in memory"),
        pytest.param("sqlite:///:memory:", False, id="in memory, by name"),
        pytest.param("postgresql:///shop", False, id="a server"),
        pytest.param("memory://", False, id="none"),
    ],
)
def test_a_file_that_is_not_there_yet_is_not_made(tmp_path, monkeypatch, url, absent):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "with space").touch()

    found = diagnosis.check_sqlite_file("default", url)

    assert (found is not None) is absent
    assert [each.name for each in tmp_path.iterdir()] == ["with space"]


def test_says_which_packages_make_it_faster():
    found = {each.details["package"]: each.state for each in diagnosis.check_speed()}

    assert set(found) == {"uvloop", "httptools", "asyncmy"}
    assert set(found.values()) <= {State.OK, State.NOTE}


@pytest.mark.parametrize(("is_set", "state"), [(True, State.OK), (False, State.NOTE)])
def test_says_whether_the_secret_is_set(is_set, state):
    found = diagnosis.check_secret(is_set=is_set, variable="X_SECRET")

    assert found.state is state
    assert found.details == {"is_set": is_set}


def proposing(*steps: Step):
    async def propose():
        plan = MigrationPlan(database="default", dialect="sqlite", server_version="3.40", steps=steps)
        return Success(Proposal(plan=plan, command="fastapi-easy migrate apply shop:app", notes=("a guess",)))

    return propose


def step(summary: str, risk: Risk, kind: ChangeKind = ChangeKind.ADD_COLUMN) -> Step:
    changes = (Change(kind=kind, table=summary.replace(" ", "_")),)
    return Step(changes=changes, summary=summary, statements=("SELECT 1",), risk=risk)


SAFE = step("add column isbn", Risk.SAFE)
DANGEROUS = step("add column price", Risk.DANGEROUS)
TO_BE_DONE = [
    (State.NOTE, "default: to have it done: fastapi-easy migrate apply shop:app"),
    (State.NOTE, "default: a guess"),
]


@pytest.mark.parametrize(
    ("policy", "steps", "expected"),
    [
        pytest.param(
            MigrationPolicy.AUTO,
            [SAFE],
            [(State.NOTE, "default: add column isbn; the next start does it")],
            id="safe",
        ),
        pytest.param(
            MigrationPolicy.AUTO,
            [SAFE, DANGEROUS],
            [
                (State.NOTE, "default: add column isbn; the next start does it"),
                (State.WRONG, "default: add column price (dangerous); a start refuses"),
                *TO_BE_DONE,
            ],
            id="both",
        ),
        pytest.param(
            MigrationPolicy.CHECK,
            [SAFE],
            [(State.WRONG, "default: add column isbn (safe); a start refuses"), *TO_BE_DONE],
            id="check",
        ),
        pytest.param(
            MigrationPolicy.CHECK,
            [step("create table book", Risk.SAFE, ChangeKind.CREATE_TABLE)],
            [(State.NOTE, "default: books: the table book does not exist; the next start will create it")],
            id="empty",
        ),
        pytest.param(
            MigrationPolicy.OFF,
            [DANGEROUS],
            [(State.NOTE, "default: books: the table book does not exist")],
            id="off",
        ),
    ],
)
async def test_says_who_does_each_step(policy, steps, expected):
    database = ToldDatabase(differences=("books: the table book does not exist",))

    found = await diagnosis.check_database(database, [BOOKS], policy, proposing(*steps))

    assert [(each.state, each.message) for each in found[1:]] == expected


async def test_what_a_program_can_run_without_is_worth_a_note():
    found = await diagnosis.check_database(
        ToldDatabase(), [BOOKS], MigrationPolicy.AUTO, proposing(DANGEROUS)
    )

    assert [(each.state, each.message) for each in found[1:]] == [
        (State.NOTE, "default: add column price (dangerous); the program runs without it"),
        *TO_BE_DONE,
    ]


async def test_a_run_that_stands_still_is_wrong():
    async def propose():
        return Failure(MigrationStopped("default", MigrationStop.NEEDS_REPAIR, "run 1 is blocked"))

    found = await diagnosis.check_database(ToldDatabase(), [BOOKS], MigrationPolicy.AUTO, propose)

    assert [(each.state, each.message) for each in found[1:]] == [(State.WRONG, "default: run 1 is blocked")]
