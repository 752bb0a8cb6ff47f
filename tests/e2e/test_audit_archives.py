"""The oldest entries of an audit trail leave for an archive with their proofs; what is left and what left agree."""

import datetime
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.application.audit.archive.archive_trail import TrailArchiving
from fastapi_easy.application.audit.archive.archived_trail import ArchivedTrail
from fastapi_easy.application.audit.archive.entry_formats import FORMATS
from fastapi_easy.application.audit.archive.export_trail import TrailExport
from fastapi_easy.application.audit.trail_source import TrailSource
from fastapi_easy.application.audit.verification.prove_trail import TrailProofs, verify_proof
from fastapi_easy.application.audit.verification.verify_trail import TrailVerification, VerificationReport
from fastapi_easy.domain.audit.findings import Verdict
from fastapi_easy.domain.audit.notes import origin_of
from fastapi_easy.domain.ports import AuditSink
from fastapi_easy.infrastructure.audit.archive_folder import ArchiveFolder
from fastapi_easy.infrastructure.audit.memory import MemoryAuditSink
from fastapi_easy.infrastructure.audit.relational.sink import RelationalAuditSink
from fastapi_easy.infrastructure.audit.signing import Ed25519Signer
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from tests.e2e.audit_lab import KEYS, SEALER, SIGNER, STREAM, TRAIL, Lab, found

LATER = datetime.timedelta(minutes=5)


async def written(sink: AuditSink, folder: Path) -> Lab:
    """Return a trail with twelve entries in one stream, ten of them anchored in two steps."""
    assert (await sink.prepare()).unwrap() == ()
    lab = Lab(sink, folder)
    await lab.write(6)
    await lab.sign()
    await lab.write(4)
    await lab.sign()
    await lab.write(2)
    return lab


@pytest.fixture
async def lab(tmp_path: Path) -> Lab:
    return await written(MemoryAuditSink(MemoryDatabase()), tmp_path)


@pytest.fixture
async def stored_lab(tmp_path: Path) -> AsyncIterator[Lab]:
    database = SqlAlchemyDatabase("default", f"sqlite:///{tmp_path / 'trail.sqlite3'}")
    yield await written(RelationalAuditSink(database), tmp_path)
    await database.close()


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveFolder:
    return ArchiveFolder(tmp_path / "archive")


def archiving(lab: Lab, archive: ArchiveFolder) -> TrailArchiving:
    return TrailArchiving(
        name=TRAIL,
        sink=lab.sink,
        seal=SEALER.seal,
        keys=KEYS,
        anchors=[lab.anchor],
        archive=archive,
        clock=lab.clock,
    )


async def verify(lab: Lab, source: TrailSource) -> VerificationReport:
    verification = TrailVerification(name=TRAIL, source=source, keys=KEYS, anchors=[lab.anchor])
    return (await verification.verify(STREAM)).unwrap()


async def test_what_was_archived_is_verified_with_what_was_not(
    stored_lab: Lab, archive: ArchiveFolder
) -> None:
    lab = stored_lab
    lab.clock.advance(LATER)
    [moved] = (await archiving(lab, archive).archive_older_than(LATER)).unwrap()
    assert (moved.stream, moved.first, moved.last) == (STREAM, 1, 10)

    alone = await verify(lab, lab.sink)
    together = await verify(lab, ArchivedTrail(archive, TRAIL, lab.sink))

    assert found(alone) == found(together) == [("unsigned-tail", STREAM, 11, 12)]
    assert [each.without_body for report in (alone, together) for each in report.streams] == [10, 0]


async def test_an_archive_is_verified_without_the_database(lab: Lab, archive: ArchiveFolder) -> None:
    lab.clock.advance(LATER)
    await archiving(lab, archive).archive_older_than(LATER)

    report = await verify(lab, ArchivedTrail(archive, TRAIL))

    assert found(report) == []
    assert [(each.entries, each.anchored) for each in report.streams] == [(10, 10)]


async def test_an_archive_that_was_edited_is_recognized(
    lab: Lab, archive: ArchiveFolder, tmp_path: Path
) -> None:
    lab.clock.advance(LATER)
    await archiving(lab, archive).archive_older_than(LATER)
    [file] = (tmp_path / "archive").glob("*.ndjson")
    lines = file.read_text().splitlines()
    lines[4] = lines[4].replace("Emma", "Anna")
    del lines[7]
    file.write_text("\n".join(lines))

    alone = await verify(lab, ArchivedTrail(archive, TRAIL))
    together = await verify(lab, ArchivedTrail(archive, TRAIL, lab.sink))

    assert found(alone) == [
        ("edited", STREAM, 5, 5),
        ("deleted", STREAM, 8, 8),
        ("unsigned-tail", STREAM, 7, 10),
    ]
    assert found(together) == [("edited", STREAM, 5, 5), ("unsigned-tail", STREAM, 11, 12)]


async def test_only_what_is_old_and_anchored_is_archived(lab: Lab, archive: ArchiveFolder) -> None:
    mover = archiving(lab, archive)
    assert (await mover.archive_older_than(LATER)).unwrap() == []

    lab.clock.advance(LATER)
    await lab.sign()
    assert [(each.first, each.last) for each in (await mover.archive_older_than(LATER)).unwrap()] == [(1, 10)]
    assert (await mover.archive_older_than(LATER)).unwrap() == []

    lab.clock.advance(LATER)
    assert [(each.first, each.last) for each in (await mover.archive_older_than(LATER)).unwrap()] == [
        (11, 12)
    ]
    report = await verify(lab, ArchivedTrail(archive, TRAIL, lab.sink))
    assert found(report) == []


async def test_bodies_that_a_crash_left_behind_are_removed_by_the_next_run(
    lab: Lab, archive: ArchiveFolder
) -> None:
    lab.clock.advance(LATER)
    mover = archiving(lab, archive)

    class Crashing:
        """A sink whose process ends before bodies are removed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(lab.sink, name)

        async def remove_bodies(self, _stream: str, _last: int, /) -> Any:
            raise ConnectionResetError

    sink: Any = Crashing()
    with pytest.raises(ConnectionResetError):
        await TrailArchiving(
            name=TRAIL,
            sink=sink,
            seal=SEALER.seal,
            keys=KEYS,
            anchors=[lab.anchor],
            archive=archive,
            clock=lab.clock,
        ).archive_older_than(LATER)
    assert (await verify(lab, lab.sink)).streams[0].without_body == 0

    assert (await mover.archive_older_than(LATER)).unwrap() == []
    assert (await verify(lab, lab.sink)).streams[0].without_body == 10


async def test_what_was_tampered_with_is_not_archived(
    lab: Lab, archive: ArchiveFolder, tmp_path: Path
) -> None:
    other = Lab(MemoryAuditSink(MemoryDatabase()), tmp_path)
    await other.write(10, actor="bob")
    lab.clock.advance(LATER)

    [refused] = (await archiving(Swapped(lab, other), archive).archive_older_than(LATER)).unwrap()

    assert [each.kind.value for each in refused.findings] == ["rewritten"]
    assert list((tmp_path / "archive").iterdir()) == []


class Swapped(Lab):
    """The clock and the anchor of one trail, the entries of another."""

    def __init__(self, lab: Lab, other: Lab) -> None:
        self.sink, self.anchor, self.clock = other.sink, lab.anchor, lab.clock


async def test_an_entry_is_proved_to_whoever_has_the_public_key_only(lab: Lab) -> None:
    proofs = TrailProofs(name=TRAIL, source=lab.sink, keys=KEYS.checkpoints)

    for seq in (1, 6, 7, 10):
        text = str((await proofs.prove(STREAM, seq)).unwrap())
        proof, findings = verify_proof(text, KEYS.checkpoints)
        assert proof is not None
        assert json.loads(proof.body)["seq"] == seq
        assert findings == []


@pytest.mark.parametrize(("seq", "code"), [(11, "invalid"), (13, "not_found"), (0, "not_found")])
async def test_what_no_checkpoint_covers_is_not_proved(lab: Lab, seq: int, code: str) -> None:
    proofs = TrailProofs(name=TRAIL, source=lab.sink, keys=KEYS.checkpoints)
    assert (await proofs.prove(STREAM, seq)).failure().code == code


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda text: text.replace("index 2", "index 3"), "rewritten"),
        (lambda text: text.replace("\n10\n", "\n11\n").replace("\n6\n", "\n7\n"), "bad-signature"),
        (lambda text: text.replace("time 1", "time 2"), "bad-signature"),
        (lambda text: text[20:], "bad-signature"),
        (lambda text: text.replace("extra ", "extra AAAA"), "rewritten"),
        (lambda text: text.replace("extra ", "extra !"), "bad-signature"),
    ],
)
async def test_a_proof_that_was_changed_proves_nothing(lab: Lab, change: Any, kind: str) -> None:
    proofs = TrailProofs(name=TRAIL, source=lab.sink, keys=KEYS.checkpoints)
    text = str((await proofs.prove(STREAM, 3)).unwrap())

    _, findings = verify_proof(change(text), KEYS.checkpoints)

    assert [each.kind.value for each in findings] == [kind]


async def test_a_state_grew_out_of_another_unless_it_was_rewritten(lab: Lab, tmp_path: Path) -> None:
    proofs = TrailProofs(name=TRAIL, source=lab.sink, keys=KEYS.checkpoints)
    grown = (await proofs.prove_growth(STREAM, "6", "10")).unwrap()
    assert grown.holds

    (tmp_path / "other").mkdir()
    other = Lab(MemoryAuditSink(MemoryDatabase()), tmp_path / "other")
    await other.write(9, actor="bob")
    await other.sign()
    [rewritten] = (await other.anchor.notes(origin_of(TRAIL, STREAM))).unwrap() or ()
    assert not (await proofs.prove_growth(STREAM, "6", rewritten)).unwrap().holds
    assert (await proofs.prove_growth(STREAM, "10", "6")).failure().code == "invalid"
    assert (await proofs.prove_growth(STREAM, "7", "10")).failure().code == "invalid"


async def test_exports_go_on_where_the_last_one_stopped(lab: Lab) -> None:
    await lab.write(3, stream="security")
    export = TrailExport(lab.sink, batch=4)

    batches = [each.unwrap() async for each in export.read({STREAM: 5})]

    assert [(each.stream, each.seq) for batch in batches for each in batch] == [
        *((STREAM, each) for each in range(6, 13)),
        *(("security", each) for each in range(1, 4)),
    ]
    assert [len(each) for each in batches] == [4, 3, 3]


async def test_an_entry_has_the_forms_of_other_programs(lab: Lab) -> None:
    [stored] = (await lab.sink.read(STREAM, 0, 1)).unwrap()

    sealed, record, event = (
        FORMATS[each](TRAIL, stored.sealed) for each in ("ndjson", "otel", "cloudevents")
    )

    body = (stored.sealed.body or b"").decode()
    assert (sealed["body"], sealed["seq"]) == (body, 1)
    assert (record["eventName"], record["severityText"]) == ("audit.books.update", "INFO")
    assert record["body"] == {"stringValue": body}
    assert (event["id"], event["source"]) == (f"{STREAM}/1", f"/{TRAIL}")
    assert (event["type"], event["data"]["actor"]) == ("audit.books.update", "ann")


async def test_a_new_key_is_told_of_and_signs_together_with_the_old_one(lab: Lab) -> None:
    new = Ed25519Signer("shop-2", bytes(range(2, 34)))
    checkpointer = lab.new_checkpointer([new, SIGNER])

    [signed] = (await checkpointer.sign_due()).unwrap()

    assert signed.checkpoint is not None
    assert [signed.checkpoint.note.count(f"— {each} ") for each in ("shop", "shop-2")] == [1, 1]
    [entry] = (await lab.sink.read(STREAM, 12, 10)).unwrap()
    assert entry.columns["action"] == "audit.key.rotated"
    assert (await lab.verify()).verdict is Verdict.INTACT
    assert (await checkpointer.sign_due()).unwrap() == []


async def test_checkpoints_are_due_by_time_by_number_and_by_heartbeat(lab: Lab) -> None:
    async def due() -> list[int]:
        return [
            each.checkpoint.size for each in (await lab.checkpointer.sign_due()).unwrap() if each.checkpoint
        ]

    assert await due() == []
    lab.clock.advance(60)
    assert await due() == [12]
    lab.clock.advance(3600)
    assert await due() == []
    lab.clock.advance(24 * 3600)
    assert await due() == [12]
    await lab.write(1)
    assert await due() == []
    lab.clock.advance(60)
    assert await due() == [13]
