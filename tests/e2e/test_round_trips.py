"""How often a call goes to PostgreSQL and back: what recording and policies cost, on whatever machine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application.audit.trail_source import VerificationKeys
from fastapi_easy.application.audit.verification.verify_trail import TrailVerification
from fastapi_easy.application.changes.items import Create, DeleteWhere, UpdateWhere
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Patch, Principal
from fastapi_easy.domain.audit.entry import SECURITY_STREAM
from fastapi_easy.domain.audit.findings import FindingKind
from fastapi_easy.domain.queries.specification import Operator
from fastapi_easy.domain.queries.specification import Where as Compared
from fastapi_easy.policies import Where, allow, principal
from fastapi_easy.settings import Settings
from tests.e2e.audited_shop import KEY, entries_of
from tests.e2e.stores import empty_store
from tests.e2e.wiretap import overheard

ADA = Principal(id="ada", roles=frozenset({"customer"}))
MANY = 1000


class SqlVisit(SQLModel, table=True):
    __tablename__ = "counted_visit"
    id: int | None = Column(default=None, primary_key=True)
    owner_id: str = Column(default="ada", max_length=40)
    note: str = Column(max_length=40)


class SqlStay(SQLModel, table=True):
    __tablename__ = "counted_stay"
    id: int | None = Column(default=None, primary_key=True)
    note: str = Column(max_length=40)


class Visits(Container):
    """One class twice: recorded in both ways, and with callers who see only what is theirs."""

    recorded = resource(SqlStay, audit=True, events=True, policy=[allow("*", to="customer")])
    own = resource(
        SqlVisit,
        policy=[
            allow(
                "*",
                to="customer",
                rows=Where("owner_id") == principal.id,
                write=["note"],
                stamps={"owner_id": principal.id},
            )
        ],
    )


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Any, Kernel]]:
    settings = Settings.model_validate(
        {"databases": {"default": {"url": url}}, "audit": {"keys": {"k1": KEY}}}
    )
    container = Visits(settings=settings)
    async with open_kernel(container) as kernel:
        yield container, kernel.acting_as(ADA)


@pytest.fixture
async def tapped(tmp_path: Path) -> AsyncIterator[tuple[Any, Kernel, list[str]]]:
    with empty_store("postgres", tmp_path) as own:
        async with overheard(own) as (url, said), opened(url) as (container, kernel):
            yield container, kernel, said


def changes_in(streams: Sequence[Any]) -> list[Any]:
    return [each for each in streams if each.stream != SECURITY_STREAM]


async def counted(said: list[str], call: Callable[[], Any], times: int = 1) -> list[int]:
    found = []
    for _ in range(times):
        said.clear()
        _ = (await call()).unwrap()
        found.append(len(said))
    return found


async def test_a_recorded_change_is_committed_with_its_entry(
    tapped: tuple[Any, Kernel, list[str]],
) -> None:
    _, kernel, said = tapped
    key = (await kernel.recorded.create(note="first")).unwrap()["id"]

    updates = await counted(said, lambda: kernel.recorded.update(key, note="next"), 4)
    creates = await counted(said, lambda: kernel.recorded.create(note="another"), 60)

    # Begin, read what was there, change it with its message, append with the commit.
    assert updates[-1] == 5
    # Begin, insert with the message, append with the commit; of 16 chains each is found out once.
    assert creates[-1] == 3


async def test_what_is_narrowed_to_its_owner_is_one_round_trip(tapped: tuple[Any, Kernel, list[str]]) -> None:
    _, kernel, said = tapped
    key = (await kernel.own.create(note="first")).unwrap()["id"]
    _ = (await kernel.own.update(key, note="once")).unwrap()

    assert await counted(said, lambda: kernel.own.create(note="second")) == [1]
    assert await counted(said, lambda: kernel.own.get(key)) == [1]
    assert await counted(said, lambda: kernel.own.update(key, note="twice")) == [1]
    assert await counted(said, lambda: kernel.own.delete(key)) == [1]


async def test_many_recorded_changes_are_few_statements(tapped: tuple[Any, Kernel, list[str]]) -> None:
    container, kernel, said = tapped
    _ = (await kernel.recorded.create(note="first")).unwrap()
    those = Compared("note", Operator.EQUALS, "many")
    said.clear()

    made = await kernel.recorded.bulk([Create({"note": "many"}) for _ in range(MANY)])
    created = len(said)
    changed = await kernel.recorded.bulk([UpdateWhere(those, Patch({"note": "changed"}), max_affected=MANY)])
    updated = len(said) - created
    those = Compared("note", Operator.EQUALS, "changed")
    removed = await kernel.recorded.bulk([DeleteWhere(those, max_affected=MANY)])
    deleted = len(said) - created - updated

    assert all(each.unwrap().applied for each in (made, changed, removed))
    # Heads that are new, and those that are moved, are 16.
    assert max(created, updated, deleted) < 60
    told = [each.changes for each in await entries_of(container) if each.action == "update"]
    assert told == [{"note": ["many", "changed"]}] * MANY
    sink = container.audit_trail().sinks["default"]
    assert sum(each.seq for each in changes_in((await sink.heads()).unwrap())) == 1 + 3 * MANY


async def test_processes_that_write_the_same_chains_fork_none(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as url:
        async with opened(url) as (container, one), opened(url) as (_, other):
            # A name with all that a script could take for its own.
            names = ["O'Brien\\'; DROP TABLE counted_visit; --", 'é\u2028"$1', "plain"]
            callers = [
                each.acting_as(Principal(id=name, roles=ADA.roles)) for each in (one, other) for name in names
            ]

            async def write(kernel: Any) -> None:
                for _ in range(15):
                    _ = (await kernel.recorded.create(note="same")).unwrap()

            _ = await asyncio.gather(*(write(each) for each in callers))

            trail = container.audit_trail()
            verification = TrailVerification(
                name="visits/default",
                source=trail.sinks["default"],
                keys=VerificationKeys(macs=trail.mac_keys, checkpoints=[]),
            )
            report = (await verification.verify()).unwrap()
            assert {each.kind for each in report.findings} <= {
                FindingKind.UNANCHORED,
                FindingKind.UNSIGNED_TAIL,
            }
            assert sum(each.entries for each in changes_in(report.streams)) == 15 * len(callers)
