"""What has been kept long enough leaves the outbox, and is in the archive before."""

import datetime
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.application.events.remove_expired import RemoveExpiredMessages
from fastapi_easy.infrastructure.outbox.archive import CHECKSUMS, FileArchive
from fastapi_easy.testing import FrozenClock
from tests.unit.application.events.messages import NOW, ListOutbox, message

WEEK = 7 * 86_400.0


def removing(
    outbox: ListOutbox, clock: FrozenClock, archive: FileArchive | None = None
) -> RemoveExpiredMessages:
    return RemoveExpiredMessages(
        "default", outbox, clock, retention=WEEK, published=True, archive=archive, figures=RelayFigures()
    )


def outbox_with(clock: FrozenClock, *positions: int) -> ListOutbox:
    outbox = ListOutbox(clock)
    outbox.published = [message(each, f"é{each}", position=each) for each in positions]
    return outbox


def are_intact(folder: Path) -> bool:
    """Whether the tool that people would use finds every file of the archive as it was written."""
    tool = shutil.which("sha256sum")
    command = [tool or "", "--check", "--strict", CHECKSUMS]
    return tool is None or subprocess.run(command, cwd=folder, check=False).returncode == 0


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_published_messages_are_removed_after_the_retention_and_not_before() -> None:
    clock = FrozenClock(NOW)
    outbox = outbox_with(clock, 1, 2)
    outbox.add(message(3, "waits", position=3))
    task = removing(outbox, clock)

    clock.advance(datetime.timedelta(days=7))
    await task.run_once()
    kept = len(outbox.published)
    clock.advance(1)
    await task.run_once()

    assert (kept, outbox.published, len(outbox.rows)) == (2, [], 1)


async def test_removed_messages_are_in_a_file_whose_checksum_is_listed(tmp_path: Path) -> None:
    clock = FrozenClock(NOW)
    outbox = outbox_with(clock, 1, 2, 5)
    clock.advance(WEEK + 1)

    await removing(outbox, clock, FileArchive(tmp_path / "archive")).run_once()

    [file] = (tmp_path / "archive").glob("*.ndjson")
    lines = [json.loads(each) for each in file.read_text("utf-8").splitlines()]
    assert file.name == "default-0000000000000000001-0000000000000000005.ndjson"
    assert [(each["position"], each["entity"], each["values"]) for each in lines] == [
        (1, "é1", {"number": 1}),
        (2, "é2", {"number": 2}),
        (5, "é5", {"number": 5}),
    ]
    assert (tmp_path / "archive" / CHECKSUMS).read_text() == (
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
    )
    assert are_intact(file.parent)


async def test_a_relay_that_was_killed_between_archive_and_removal_leaves_one_file(tmp_path: Path) -> None:
    messages = [message(each, "a", position=each) for each in (1, 2)]
    archive = FileArchive(tmp_path)

    await archive.keep("default", messages)
    (tmp_path / CHECKSUMS).unlink()
    await archive.keep("default", messages)
    await archive.keep("default", messages)

    assert CHECKSUMS in names_in(tmp_path)
    assert len(names_in(tmp_path)) == 2
    assert len((tmp_path / CHECKSUMS).read_text().splitlines()) == 1


async def test_nothing_is_removed_while_the_archive_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FrozenClock(NOW)
    outbox = outbox_with(clock, 1)
    clock.advance(WEEK + 1)
    (tmp_path / "file").write_text("no folder")

    assert not await removing(outbox, clock, FileArchive(tmp_path / "file" / "archive")).run_once()

    assert len(outbox.published) == 1
    assert "nothing is removed, as the archive cannot be written" in caplog.text
