"""What a client may send before there is a request, and how its connection ends with the process."""

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.commands import Served, program_in, serving
from tests.e2e.test_draining import PROGRAM

ECHO = """

@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)
"""
LIMITS = {"FASTAPI_EASY_HTTP__HEADER_BYTES": "4096", "FASTAPI_EASY_HTTP__HEADER_TIMEOUT": "1"}
HEAD = b"GET /who HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = program_in(tmp_path_factory.mktemp("served"))
    (folder / "slow.py").write_text(PROGRAM)
    with serving(folder, "slow:app", **LIMITS) as served:
        yield served


def connected(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=30)


def answer_of(sock: socket.socket) -> tuple[int, dict[str, str], bytes]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.mark.parametrize("head", ["one header", "many headers", "a path", "whole", "whole, of a WebSocket"])
def test_a_head_without_end_is_refused_and_not_kept(served: Served, head: str) -> None:
    begin, part = {
        "one header": (HEAD + b"X-Long: ", b"a" * 1000),
        "many headers": (HEAD, b"X-Some: more\r\n" * 80),
        "a path": (b"GET /", b"a" * 1000),
        "whole": (HEAD, b"X-Long: " + b"a" * 5000 + b"\r\n\r\n"),
        "whole, of a WebSocket": (
            HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
            b"X-Long: " + b"a" * 5000 + b"\r\n\r\n",
        ),
    }[head]
    with closing(connected(served)) as sock:
        sock.sendall(begin)
        for _ in range(1 if head.startswith("whole") else 10):
            # In packets of their own, as from somebody who has time.
            time.sleep(0.02)
            sock.sendall(part)
        status, headers, body = answer_of(sock)

    problem = json.loads(body)
    assert (status, problem["code"], problem["limit"]) == (431, "headers_too_large", 4096)
    assert headers["connection"] == "close"
    assert headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("sent", [HEAD, b"G", b""])
def test_a_head_that_does_not_come_is_not_waited_for(served: Served, sent: bytes) -> None:
    with closing(connected(served)) as sock:
        sock.sendall(sent)
        status = answer_of(sock)[0] if sent else sock.recv(1)

    assert status == (408 if sent else b"")


def test_a_second_head_has_the_same_limits(served: Served) -> None:
    with closing(connected(served)) as sock:
        sock.sendall(HEAD + b"\r\n")
        first = answer_of(sock)
        sock.sendall(HEAD)
        second = answer_of(sock)

    assert (first[0], "connection" in first[1], second[0]) == (200, False, 408)


def test_clients_that_keep_their_connection_see_no_reset_at_the_end(tmp_path: Path) -> None:
    folder = program_in(tmp_path)
    (folder / "slow.py").write_text(PROGRAM)
    heard: list[object] = []
    with serving(folder, "slow:app", FASTAPI_EASY_HTTP__DRAIN_DELAY="0.5") as served:
        clients = [threading.Thread(target=_ask_on, args=(served, heard)) for _ in range(8)]
        for each in clients:
            each.start()
        time.sleep(0.5)
        code, _, _ = served.end(signal.SIGTERM)
        for each in clients:
            each.join()

    assert code == 0
    assert set(heard) == {200, "closed", "refused"}
    # Nobody was asked on a connection after it was said that this would be closed.
    assert heard.count("refused") == len(clients)


def test_a_websocket_is_opened_while_the_process_is_about_to_end(tmp_path: Path) -> None:
    folder = program_in(tmp_path)
    (folder / "slow.py").write_text("from fastapi import WebSocket\n" + PROGRAM + ECHO)
    upgrade = (
        b"GET /echo HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with serving(folder, "slow:app", FASTAPI_EASY_HTTP__DRAIN_DELAY="3") as served:
        with closing(connected(served)) as before, closing(connected(served)) as meanwhile:
            before.sendall(upgrade)
            answers = [before.recv(12)]
            served.process.send_signal(signal.SIGTERM)
            while _is_ready(served):
                time.sleep(0.05)
            meanwhile.sendall(upgrade)
            answers.append(meanwhile.recv(12))
        code, _, error = served.end(signal.SIGCONT)

    assert (answers, code) == ([b"HTTP/1.1 101"] * 2, 0)
    assert "Traceback" not in error


def _is_ready(served: Served) -> bool:
    with closing(connected(served)) as sock:
        sock.sendall(b"GET /health/ready HTTP/1.1\r\nHost: here\r\n\r\n")
        return answer_of(sock)[0] == 200


def _ask_on(served: Served, heard: list[object]) -> None:
    """Ask until no connection is to be had."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        try:
            connection.connect()
        except ConnectionRefusedError:
            heard.append("refused")
            return
        try:
            while connection.sock is not None:
                connection.request("GET", "/who")
                answer = connection.getresponse()
                _ = answer.read()
                heard.append(answer.status)
            heard.append("closed")
        except (OSError, http.client.HTTPException) as error:
            heard.append(repr(error))
        finally:
            connection.close()


def test_what_is_cut_at_the_end_is_told_so(tmp_path: Path) -> None:
    folder = program_in(tmp_path)
    (folder / "slow.py").write_text(PROGRAM)
    with serving(folder, "slow:app", FASTAPI_EASY_HTTP__GRACE="1") as served:
        with closing(connected(served)) as sock:
            sock.sendall(b"GET /slow?seconds=120 HTTP/1.1\r\nHost: here\r\n\r\n")
            time.sleep(0.5)
            served.process.send_signal(signal.SIGTERM)
            status, headers, body = answer_of(sock)
        _ = served.end(signal.SIGCONT)

    assert (status, json.loads(body)["code"]) == (503, "outcome_unknown")
    assert headers["retry-after"] == "1"
