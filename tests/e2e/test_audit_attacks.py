"""Whoever may write the database attacks its audit trail; verifying names each attack, and its place."""

import asyncio
import dataclasses
import datetime
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Connection

from fastapi_easy.domain.audit.findings import Verdict
from fastapi_easy.domain.audit.sealing import Sealer, columns_of, head_after, leaf_of, open_entry
from fastapi_easy.infrastructure.audit.relational.sink import RelationalAuditSink
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import (
    AUDIT_TABLES,
    CHECKPOINTS,
    ENTRIES,
    HEADS,
)
from fastapi_easy.testing.clock import FrozenClock
from tests.e2e.audit_lab import SEALER, STREAM, Lab, execute, found, unprotect

Attack: TypeAlias = Callable[[Any], Awaitable[None]]
Found: TypeAlias = list[tuple[str, str, int, int]]

ATTACKER = Sealer("k1", b"a key that somebody made up")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path, FrozenClock]]:
    """A database with a trail and a copy of it, the folder of its anchor, and the time."""
    folder = tmp_path_factory.mktemp("trail")
    url = (
        f"sqlite:///{folder / 'trail.sqlite3'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    yield url, folder, asyncio.run(prepare(url, folder))
    asyncio.run(drop(url))


async def prepare(url: str, folder: Path) -> FrozenClock:
    """Write twelve entries, ten of which are signed, and anchored, in two steps; and two of another stream."""
    database = SqlAlchemyDatabase("default", url)
    await database.executor.run_sync(AUDIT_TABLES.drop_all)
    sink = RelationalAuditSink(database)
    assert (await sink.prepare()).unwrap() == ()
    lab = Lab(sink, folder)
    await lab.write(2, stream="security")
    await lab.write(6)
    await lab.sign()
    await execute(database, *(f"CREATE TABLE old_{each} AS SELECT * FROM {each}" for each in TABLES))
    await lab.write(4)
    await lab.sign()
    await lab.write(2)
    await unprotect(database)
    await execute(database, *(f"CREATE TABLE copy_{each} AS SELECT * FROM {each}" for each in TABLES))
    await database.close()
    return lab.clock


async def drop(url: str) -> None:
    database = SqlAlchemyDatabase("default", url)
    copies = [f"{prefix}_{each}" for prefix in ("old", "copy") for each in TABLES]
    await execute(database, *(f"DROP TABLE IF EXISTS {each}" for each in copies))
    await database.executor.run_sync(AUDIT_TABLES.drop_all)
    await database.close()


@pytest.fixture
async def database(prepared: tuple[str, Path, FrozenClock]) -> AsyncIterator[Any]:
    """The trail as it was prepared, for whoever may do anything with it."""
    database = SqlAlchemyDatabase("default", prepared[0])
    await put_back("copy")(database)
    yield database
    await database.close()


@pytest.fixture
def lab(database: Any, prepared: tuple[str, Path, FrozenClock], tmp_path: Path) -> Lab:
    _ = shutil.copy(prepared[1] / "anchor.ndjson", tmp_path)
    lab = Lab(RelationalAuditSink(database), tmp_path)
    lab.clock.advance(prepared[2].now() - lab.clock.now())
    return lab


TABLES = ("fe_audit", "fe_audit_head", "fe_audit_checkpoint")
TAIL = ("unsigned-tail", STREAM, 11, 12)
WHERE = f"WHERE stream = '{STREAM}'"


def statements(*texts: str) -> Attack:
    async def attack(database: Any) -> None:
        await execute(database, *texts)

    return attack


def edit(*, is_hashed: bool, has_columns: bool = True) -> Attack:
    """Have another actor in entry 5."""

    async def attack(database: Any) -> None:
        def run(connection: Connection) -> None:
            row = connection.execute(
                ENTRIES.select().where(ENTRIES.c.stream == STREAM, ENTRIES.c.seq == 5)
            ).one()
            body = json.dumps(
                {**json.loads(row.body), "actor": "bob"}, separators=(",", ":"), sort_keys=True
            ).encode()
            values: dict[str, Any] = {"body": body}
            if has_columns:
                values["actor"] = "bob"
            if is_hashed:
                values["leaf"] = leaf_of(body)
            _ = connection.execute(
                ENTRIES.update().where(ENTRIES.c.stream == STREAM, ENTRIES.c.seq == 5).values(values)
            )

        await database.executor.run_sync(run)

    return attack


def recompute(sealer: Sealer) -> Attack:
    """Edit entry 5, and seal it and everything after it once more; the head too."""

    async def attack(database: Any) -> None:
        sink = RelationalAuditSink(database)
        entries = (await sink.read(STREAM, 0, 100)).unwrap()
        head = head_after(entries[3].sealed)
        rows = []
        for stored in entries[4:]:
            assert stored.sealed.body is not None
            entry = open_entry(stored.sealed.body).entry
            if stored.sealed.seq == 5:
                entry = dataclasses.replace(entry, actor="bob")
            sealed = sealer.seal(entry, head)
            head = head_after(sealed)
            rows.append({**{each: getattr(sealed, each) for each in SEALED}, **columns_of(entry)})

        def run(connection: Connection) -> None:
            _ = connection.execute(ENTRIES.delete().where(ENTRIES.c.stream == STREAM, ENTRIES.c.seq >= 5))
            _ = connection.execute(ENTRIES.insert(), rows)
            _ = connection.execute(HEADS.update().where(HEADS.c.stream == STREAM).values(leaf=head.leaf))
            _ = connection.execute(CHECKPOINTS.delete())

        await database.executor.run_sync(run)

    return attack


SEALED = ("stream", "seq", "body", "leaf", "mac", "key_id")


async def fork(database: Any) -> None:
    """Put in another entry 5, sealed with the key, on another past."""
    sink = RelationalAuditSink(database)
    entries = (await sink.read(STREAM, 0, 100)).unwrap()
    assert entries[4].sealed.body is not None
    entry = dataclasses.replace(open_entry(entries[4].sealed.body).entry, actor="bob")
    sealed = SEALER.seal(entry, head_after(entries[3].sealed))
    row = {**{each: getattr(sealed, each) for each in SEALED}, **columns_of(entry)}
    await database.executor.run_sync(lambda connection: connection.execute(ENTRIES.insert(), [row]))


async def insert(database: Any) -> None:
    """Put one in after entry 4; the others move on."""
    await execute(database, f"UPDATE fe_audit SET seq = seq + 1 {WHERE} AND seq > 5")
    await fork(database)
    await execute(
        database,
        f"UPDATE fe_audit SET seq = 6 {WHERE} AND seq = 5 AND actor = 'ann'",
        f"UPDATE fe_audit_head SET seq = seq + 1 {WHERE}",
    )


def put_back(prefix: str) -> Attack:
    """Put back what was copied once."""
    return statements(
        *(
            statement
            for each in TABLES
            for statement in (f"DELETE FROM {each}", f"INSERT INTO {each} SELECT * FROM {prefix}_{each}")
        )
    )


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(statements(), [TAIL], id="nothing"),
        pytest.param(edit(is_hashed=False), [("edited", STREAM, 5, 5), TAIL], id="a row is edited"),
        pytest.param(
            edit(is_hashed=True),
            [("bad-mac", STREAM, 5, 5), ("rewritten", STREAM, 1, 6), ("unsigned-tail", STREAM, 1, 12)],
            id="a row is edited and hashed again",
        ),
        pytest.param(
            statements(f"UPDATE fe_audit SET actor = 'bob' {WHERE} AND seq = 5"),
            [("column-mismatch", STREAM, 5, 5), TAIL],
            id="a column is edited",
        ),
        pytest.param(
            statements(f"DELETE FROM fe_audit {WHERE} AND seq = 5"),
            [("deleted", STREAM, 5, 5), ("unsigned-tail", STREAM, 1, 12)],
            id="a row is deleted",
        ),
        pytest.param(
            statements(
                f"UPDATE fe_audit SET seq = 99 {WHERE} AND seq = 5",
                f"UPDATE fe_audit SET seq = 5 {WHERE} AND seq = 6",
                f"UPDATE fe_audit SET seq = 6 {WHERE} AND seq = 99",
            ),
            [("reordered", STREAM, 5, 6), ("rewritten", STREAM, 1, 6), ("unsigned-tail", STREAM, 1, 12)],
            id="two rows are swapped",
        ),
        pytest.param(
            insert,
            [("reordered", STREAM, 6, 13), ("rewritten", STREAM, 1, 6), ("unsigned-tail", STREAM, 1, 13)],
            id="a row is put in",
        ),
        pytest.param(
            fork,
            [("forked", STREAM, 5, 5), ("unsigned-tail", STREAM, 1, 12)],
            id="there are two rows with one number",
        ),
        pytest.param(
            recompute(ATTACKER),
            [("bad-mac", STREAM, 5, 12), ("rewritten", STREAM, 1, 6), ("unsigned-tail", STREAM, 1, 12)],
            id="everything after an edit is computed anew",
        ),
        pytest.param(
            recompute(SEALER),
            [("rewritten", STREAM, 1, 6), ("unsigned-tail", STREAM, 1, 12)],
            id="everything after an edit is computed anew with the stolen key",
        ),
        pytest.param(
            statements(
                f"DELETE FROM fe_audit {WHERE} AND seq > 8",
                f"UPDATE fe_audit_head SET seq = 8, leaf = (SELECT leaf FROM fe_audit {WHERE} AND seq = 8) {WHERE}",
                f"DELETE FROM fe_audit_checkpoint {WHERE} AND size > 8",
            ),
            [("truncated", STREAM, 9, 10), ("unsigned-tail", STREAM, 7, 8)],
            id="the tail is truncated",
        ),
        pytest.param(
            statements(f"DELETE FROM fe_audit {WHERE} AND seq > 8"),
            [("truncated", STREAM, 9, 12), ("unsigned-tail", STREAM, 7, 8)],
            id="the tail is truncated and the head forgotten",
        ),
        pytest.param(
            statements(*(f"DELETE FROM {each}" for each in TABLES)),
            [("truncated", STREAM, 1, 10), ("truncated", "security", 1, 2)],
            id="everything is deleted with all checkpoints",
        ),
        pytest.param(
            put_back("old"),
            [("truncated", STREAM, 7, 10)],
            id="an old backup is restored",
        ),
        pytest.param(
            statements(
                f"UPDATE fe_audit_checkpoint SET note = REPLACE(note, '{STREAM}', 'security') {WHERE}"
            ),
            [("bad-signature", STREAM, 6, 6), ("bad-signature", STREAM, 10, 10), TAIL],
            id="checkpoints are edited",
        ),
        pytest.param(
            statements(f"UPDATE fe_audit SET body = NULL {WHERE} AND seq = 12"),
            [("deleted", STREAM, 12, 12), TAIL],
            id="a body is removed",
        ),
        pytest.param(
            statements(f"DELETE FROM fe_audit_head {WHERE}"),
            [("forked", STREAM, 1, 12), TAIL],
            id="the head is deleted",
        ),
    ],
)
async def test_an_attack_is_named_with_its_place(
    lab: Lab, database: Any, attack: Attack, expected: Found
) -> None:
    await attack(database)

    report = await lab.verify()

    assert found(report) == expected
    assert report.verdict is (Verdict.INTACT if expected == [TAIL] else Verdict.TAMPERED)


async def test_a_backup_that_was_written_on_is_not_what_was_anchored(lab: Lab, database: Any) -> None:
    await put_back("old")(database)
    await lab.write(8, actor="bob")

    assert found(await lab.verify()) == [("rewritten", STREAM, 7, 10), ("unsigned-tail", STREAM, 7, 14)]


async def test_writing_that_was_stopped_misses_its_heartbeat(lab: Lab) -> None:
    report = await lab.verify(now=lab.clock.now() + datetime.timedelta(hours=26))

    assert found(report) == [
        TAIL,
        ("missing-heartbeat", STREAM, 0, 0),
        ("missing-heartbeat", "security", 0, 0),
    ]
    assert report.verdict is Verdict.UNKNOWN


async def test_without_an_anchor_nobody_can_tell(lab: Lab, database: Any) -> None:
    await statements(*(f"DELETE FROM {each}" for each in TABLES))(database)

    report = await lab.verify(anchors=[])

    assert found(report) == [("unanchored", "", 0, 0)]
    assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("attack", "kinds"),
    [
        pytest.param(edit(is_hashed=False), [], id="before the last checkpoint"),
        pytest.param(
            statements(f"UPDATE fe_audit SET actor = 'bob' {WHERE} AND seq = 11"),
            ["column-mismatch"],
            id="a column",
        ),
        pytest.param(statements(f"DELETE FROM fe_audit {WHERE} AND seq = 11"), ["deleted"], id="deleted"),
        pytest.param(put_back("old"), ["truncated"], id="an old backup"),
        pytest.param(recompute(SEALER), ["rewritten"], id="computed anew"),
    ],
)
async def test_what_was_tampered_with_is_not_signed(
    lab: Lab, database: Any, attack: Attack, kinds: list[str]
) -> None:
    await attack(database)

    signed = await lab.sign(lab.new_checkpointer())

    [refused] = [each for each in signed if each.stream == STREAM]
    assert [each.kind.value for each in refused.findings] == kinds
    assert (refused.checkpoint is None) is bool(kinds)


async def test_a_backup_that_was_written_on_is_not_signed_by_a_process_that_starts_or_goes_on(
    lab: Lab, database: Any
) -> None:
    await lab.sign()
    await put_back("old")(database)
    await lab.write(8, actor="bob")

    for checkpointer in (lab.new_checkpointer(), lab.checkpointer):
        signed = await lab.sign(checkpointer)
        [refused] = [each for each in signed if each.stream == STREAM]
        assert refused.checkpoint is None
        assert refused.findings
