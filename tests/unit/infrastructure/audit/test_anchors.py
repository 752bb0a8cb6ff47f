"""Anchors: a file, a server and the log; and the folder of an archive."""

import datetime
import json
import logging
import threading
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fastapi_easy.composition.audit.checkpoints import open_anchor
from fastapi_easy.domain.audit.entry import Checkpoint
from fastapi_easy.domain.audit.merkle import Frontier
from fastapi_easy.domain.audit.notes import origin_of, write_note
from fastapi_easy.domain.audit.sealing import leaf_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.audit.anchors.file import FileAnchor
from fastapi_easy.infrastructure.audit.anchors.http import HttpAnchor
from fastapi_easy.infrastructure.audit.anchors.log import LogAnchor
from fastapi_easy.infrastructure.audit.archive_folder import ArchiveFolder
from fastapi_easy.infrastructure.audit.signing import Ed25519Signer

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
SIGNER = Ed25519Signer("shop", bytes(range(32)))


def checkpoint(stream: str, size: int) -> Checkpoint:
    frontier = Frontier()
    for each in range(size):
        frontier.append(leaf_of(str(each).encode()))
    note = write_note(origin_of("shop/default", stream), frontier, NOW, [SIGNER])
    return Checkpoint(stream=stream, size=size, root=frontier.root(), note=note, created_at=NOW)


ONE, TWO, OTHER = checkpoint("changes-00", 1), checkpoint("changes-00", 2), checkpoint("tenant:a%20b", 1)
ORIGIN, OTHER_ORIGIN = (origin_of("shop/default", each.stream) for each in (ONE, OTHER))


class Notary(BaseHTTPRequestHandler):
    """Takes notes, and gives them back."""

    notes: ClassVar[dict[str, list[str]]]
    refuses: ClassVar[bool] = False

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.notes.setdefault(urllib.parse.unquote(self.path.removeprefix("/notes/")), []).append(content)
        self._answer(201, [])

    def do_GET(self) -> None:
        origin = urllib.parse.unquote(self.path.removeprefix("/notes").removeprefix("/"))
        self._answer(200, self.notes.get(origin, []) if origin else sorted(self.notes))

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(503 if self.refuses else status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        _ = self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def notary() -> Iterator[tuple[type[Notary], str]]:
    class Own(Notary):
        notes: ClassVar[dict[str, list[str]]] = {}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Own, f"http://ann:secret@127.0.0.1:{server.server_port}/notes"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["file", "http"])
def anchor(request: pytest.FixtureRequest, tmp_path: Path) -> FileAnchor | HttpAnchor:
    if request.param == "file":
        return FileAnchor(tmp_path / "outside" / "anchor.ndjson")
    return HttpAnchor(request.getfixturevalue("notary")[1])


async def test_what_was_anchored_is_read_back_by_its_origin(anchor: FileAnchor | HttpAnchor) -> None:
    assert (await anchor.origins()).unwrap() == []
    for each in (ONE, OTHER, TWO):
        (await anchor.anchor(each)).unwrap()

    assert (await anchor.notes(ORIGIN)).unwrap() == [ONE.note, TWO.note]
    assert (await anchor.notes(OTHER_ORIGIN)).unwrap() == [OTHER.note]
    assert (await anchor.notes("another/one")).unwrap() == []
    assert (await anchor.origins()).unwrap() == sorted([ORIGIN, OTHER_ORIGIN])


async def test_a_line_that_a_crash_cut_off_is_passed_over(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path / "anchor.ndjson")
    (await anchor.anchor(ONE)).unwrap()
    whole = (tmp_path / "anchor.ndjson").read_bytes()
    (tmp_path / "anchor.ndjson").write_bytes(whole + whole[: len(whole) // 2])

    (await anchor.anchor(TWO)).unwrap()

    assert (await anchor.notes(ORIGIN)).unwrap() == [ONE.note, TWO.note]


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("a file")
    anchor = FileAnchor(tmp_path / "outside" / "anchor.ndjson")
    assert (await anchor.anchor(ONE)).failure().code == "unavailable"


async def test_a_server_that_refuses_is_unavailable_and_its_password_is_not_shown(
    notary: tuple[type[Notary], str],
) -> None:
    notary[0].refuses = True
    anchor = HttpAnchor(notary[1])
    assert (await anchor.anchor(ONE)).failure().code == "unavailable"
    assert (await anchor.origins()).failure().code == "unavailable"
    assert "secret" not in anchor.name


async def test_a_server_that_is_away_is_unavailable() -> None:
    anchor = HttpAnchor("http://127.0.0.1:9/notes", timeout=5)
    assert (await anchor.anchor(ONE)).failure().code == "unavailable"


async def test_collected_lines_of_the_log_are_an_anchor(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    anchor = LogAnchor()
    with caplog.at_level(logging.INFO, "fastapi_easy.audit.checkpoints"):
        (await anchor.anchor(ONE)).unwrap()
    assert (await anchor.notes(ORIGIN)).unwrap() is None
    assert (await anchor.origins()).unwrap() is None

    [record] = caplog.records
    lines = ["not JSON", json.dumps({"message": record.getMessage(), "note": vars(record)["note"]}), "[1]"]
    (tmp_path / "collected.log").write_text("\n".join(lines))
    assert (await FileAnchor(tmp_path / "collected.log").notes(ORIGIN)).unwrap() == [ONE.note]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("log:", LogAnchor),
        ("file:///tmp/a%20b.ndjson", FileAnchor),
        ("anchor.ndjson", FileAnchor),
        ("https://witness.example/shop", HttpAnchor),
    ],
)
def test_an_anchor_is_chosen_by_its_address(text: str, kind: type[Any]) -> None:
    assert isinstance(open_anchor(text), kind)


def test_an_address_of_nothing_is_refused() -> None:
    with pytest.raises(DeclarationError, match="anchors are not kept at s3"):
        open_anchor("s3://bucket/anchor")


async def test_an_archive_has_all_of_a_file_or_none(tmp_path: Path) -> None:
    archive = ArchiveFolder(tmp_path / "archive")
    assert (await archive.names()).unwrap() == []

    async def lines() -> AsyncIterator[bytes]:
        yield b"one\n"
        yield b"two\n"

    async def failing() -> AsyncIterator[bytes]:
        yield b"one\n"
        raise ValueError("it does not go on")

    (await archive.write("whole", lines())).unwrap()
    with pytest.raises(ValueError, match="does not go on"):
        _ = await archive.write("half", failing())

    assert (await archive.names()).unwrap() == ["whole"]
    assert [each.name for each in (tmp_path / "archive").iterdir()] == ["whole"]
    assert [each async for each in archive.lines("whole")] == [b"one", b"two"]
