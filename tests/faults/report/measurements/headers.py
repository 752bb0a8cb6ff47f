"""Heads without limits: they are refused before they fill the memory, and not waited for."""

import asyncio
import contextlib
import http.client
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.commands import Served, program_in, serving
from tests.faults.report.figure import Figure

FAULT = "Headers without end"
MEGABYTE = 1024 * 1024
SENT = 100 * MEGABYTE
UNFINISHED = 50
HEADER_TIMEOUT = 2.0
KEEP_ALIVE = 2.0
LATE = 3.0
"""Seconds that an answer may be later than its limit, on a busy machine."""
HEAD = b"GET /who HTTP/1.1\r\nHost: here\r\n"


async def measured() -> list[Figure]:
    """Return what one header of 100 MB, fifty unfinished heads and idle connections come to."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Figure]:
    variables = {
        "FASTAPI_EASY_HTTP__HEADER_TIMEOUT": str(HEADER_TIMEOUT),
        "FASTAPI_EASY_HTTP__KEEP_ALIVE_TIMEOUT": str(KEEP_ALIVE),
    }
    with tempfile.TemporaryDirectory(prefix="fastapi-easy-heads-") as name:
        folder = program_in(Path(name))
        with serving(folder, "shop:app", **variables) as served:
            assert _ask(served) == 200
            return [
                *_one_header(served),
                *_many_headers(served),
                *_unfinished(served),
                *_idle(served),
                Figure(
                    FAULT,
                    "status of a plain request afterwards",
                    "-",
                    str(_ask(served)),
                    "200",
                    _ask(served) == 200,
                ),
            ]


def _one_header(served: Served) -> Iterator[Figure]:
    before = _held(served)
    part, sent = b"a" * (MEGABYTE // 4), 0
    with contextlib.closing(_connected(served)) as sock:
        most = before
        sock.sendall(HEAD + b"X-Long: ")
        # The server may close while the rest is still on its way: what it has answered is read all the same.
        with contextlib.suppress(ConnectionError):
            while sent < SENT:
                sock.sendall(part)
                sent += len(part)
                most = max(most, _held(served))
        status = _status_of(sock)
    most = max(most, _held(served))
    grown = (most - before) / MEGABYTE
    what = "memory that one header of 100 MB holds"
    yield Figure(FAULT, what, "-", f"{grown:.1f} MB", "<= 2 MB", grown <= 2)
    yield Figure(FAULT, "its answer", "-", status, "431", status in {"431", "reset"})


def _many_headers(served: Served) -> Iterator[Figure]:
    with contextlib.closing(_connected(served)) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(HEAD + b"X-Some: more\r\n" * 1_500_000)
        many = _status_of(sock)
    with contextlib.closing(_connected(served)) as sock:
        sock.sendall(HEAD.replace(b"/who", b"/books") + b"X-Some: more\r\n" * 200 + b"\r\n")
        some = _status_of(sock)
    yield Figure(FAULT, "answer to 20 MB of headers", "-", many, "431", many in {"431", "reset"})
    yield Figure(FAULT, "answer of a resource to 200 headers", "-", some, "431", some == "431")


def _unfinished(served: Served) -> Iterator[Figure]:
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(_connected(served))) for _ in range(UNFINISHED)]
        for each in socks:
            each.sendall(HEAD)
        statuses = [_status_of(each) for each in socks]
    seconds = time.monotonic() - began
    told = statuses.count("408")
    what = f"of {UNFINISHED} unfinished heads, those that are closed with 408"
    yield Figure(FAULT, what, "-", str(told), str(UNFINISHED), told == UNFINISHED)
    limit = HEADER_TIMEOUT + LATE
    what = f"until the last of them is, with a limit of {HEADER_TIMEOUT:g} s"
    yield Figure(FAULT, what, "-", f"{seconds:.1f} s", f"<= {limit:g} s", seconds <= limit)


def _idle(served: Served) -> Iterator[Figure]:
    with contextlib.closing(_connected(served)) as sock:
        sock.sendall(HEAD + b"\r\n")
        assert _status_of(sock) == "200"
        began = time.monotonic()
        rest = sock.recv(1)
        seconds = time.monotonic() - began
    limit = KEEP_ALIVE + LATE
    yield Figure(
        FAULT,
        f"until an idle connection is closed, with a limit of {KEEP_ALIVE:g} s",
        "-",
        f"{seconds:.1f} s",
        f"<= {limit:g} s",
        rest == b"" and seconds <= limit,
    )


def _connected(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=30)


def _status_of(sock: socket.socket) -> str:
    """The status of the answer; `reset` where the connection was closed with what was sent still on its way."""
    answer = http.client.HTTPResponse(sock)
    try:
        answer.begin()
        _ = answer.read()
    except ConnectionError:
        return "reset"
    except TimeoutError:
        return "none"
    return str(answer.status)


def _ask(served: Served) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/who")
        return connection.getresponse().status


def _held(served: Served) -> int:
    """Bytes of memory that the server holds."""
    pages = Path(f"/proc/{served.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096
