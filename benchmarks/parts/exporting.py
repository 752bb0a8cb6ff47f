"""Every row over HTTP, beside COPY through asyncpg into nothing."""

import json
import socket
import statistics
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from benchmarks.bench import Bench
from benchmarks.catalogue import COLUMNS, KERNEL
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.load import LoadFailed
from benchmarks.programs import run_program
from benchmarks.rows import ROWS
from benchmarks.serving import served

FORMATS: Final = {"ndjson": "NDJSON", "csv": "CSV"}
ENOUGH: Final = Target(at_least=30.0)
"""Megabytes each second."""

OR: Final = Target(at_least=0.5)
"""Rows each second, × COPY; one of the two is enough."""

PATIENCE: Final = 120.0


def measure(bench: Bench) -> Part:
    """Measure both formats and COPY in turn.

    Raises:
        LoadFailed: An export did not hold every row.
    """
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in (*FORMATS, "copy")}
    with served(COLUMNS[KERNEL].target, bench.database.async_url, bench.cores.server) as service:
        for number_ in range(bench.rounds + 1):
            for name in FORMATS:
                one = download(service.url, f"/items/export?as={name}", ROWS + (name == "csv"))
                if number_:
                    found[name].append(one)
                    bench.tell(f"{FORMATS[name]}: {one[1] / 1e6:.1f} MB in {one[0]:.2f} s")
            if number_:
                printed = run_program("copy_out", bench.cores.server, "1", url=bench.database.async_url)
                found["copy"] += [(seconds, size) for seconds, size in json.loads(printed)]
    findings = {name: _finding(found[name], found["copy"], title) for name, title in FORMATS.items()}
    titles = {
        **{name: f"fastapi_easy, {title}" for name, title in FORMATS.items()},
        "copy": "COPY, CSV, asyncpg",
    }
    rows = [
        (
            title,
            f"{found[name][0][1] / 1e6:.1f}",
            number(_speed(found[name])),
            number(_ratio(found[name], found["copy"])),
            str(findings.get(name, "")),
        )
        for name, title in titles.items()
    ]
    header = ("", "MB", "MB/s", "rows/s × COPY", "MB/s ≥ 30 or × COPY ≥ 0.5")
    table = Table(f"Export of {ROWS:,} rows over HTTP:", header, rows)
    return Part(tables=[table], findings=list(findings.values()), figures=found)


def _speed(rounds: Sequence[tuple[float, int]]) -> float:
    return statistics.median(size / 1e6 / seconds for seconds, size in rounds)


def _ratio(rounds: Sequence[tuple[float, int]], others: Sequence[tuple[float, int]]) -> float:
    return statistics.median(other[0] / one[0] for one, other in zip(rounds, others, strict=True))


def _finding(rounds: Sequence[tuple[float, int]], copied: Sequence[tuple[float, int]], title: str) -> Finding:
    """The one of the two figures that is nearer to its target, or further beyond it."""
    speed, ratio = _speed(rounds), _ratio(rounds, copied)
    if speed / 30 >= ratio / 0.5:
        return Finding(f"export as {title}, MB/s", speed, ENOUGH)
    return Finding(f"export as {title}, × COPY", ratio, OR)


def download(url: str, path: str, lines: int) -> tuple[float, int]:
    """The seconds that the answer took, and the bytes of its body; nothing is done with them but counting.

    Raises:
        LoadFailed: The answer has not so many lines, or breaks off.
    """
    host = urlsplit(url)
    assert host.hostname is not None
    received: list[bytes] = []
    begun = time.perf_counter()
    with socket.create_connection((host.hostname, host.port or 80), PATIENCE) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n".encode())
        while part := connection.recv(262_144):
            received.append(part)
    seconds = time.perf_counter() - begun
    head, _, chunks = b"".join(received).partition(b"\r\n\r\n")
    body = unchunked(chunks)
    if not head.startswith(b"HTTP/1.1 200 ") or body is None or body.count(b"\n") != lines:
        raise LoadFailed(f"GET {path} did not answer {lines} lines: {head[:200]!r}")
    return seconds, len(body)


def unchunked(chunks: bytes) -> bytes | None:
    """The body that came in *chunks*; None when it breaks off."""
    parts: list[bytes] = []
    position = 0
    while (end := chunks.find(b"\r\n", position)) >= 0:
        size = int(chunks[position:end], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(chunks[end + 2 : end + 2 + size])
        position = end + size + 4
    return None
