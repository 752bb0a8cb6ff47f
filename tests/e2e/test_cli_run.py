"""`fastapi-easy run`: real servers, in one process and several."""

import contextlib
import http.client
import json
import os
import signal
import socket
import time

import pytest

from tests.e2e.commands import PATIENCE, Served, ask, call, program_in, serving
from tests.thorough import only_when_thorough


@pytest.fixture
def folder(tmp_path):
    return program_in(tmp_path)


def test_serves_and_prints_its_address(folder):
    with serving(folder, "shop:app") as served:
        connection = served.connection()
        connection.request("GET", "/books")
        answer = connection.getresponse()
        answer.read()
        code, out, err = served.end(signal.SIGINT)

    assert answer.status == 200
    assert answer.getheader("server") is None
    assert out.splitlines() == [
        f"Serving shop:app at http://127.0.0.1:{served.port} (press Ctrl-C to stop)",
        f"Docs at http://127.0.0.1:{served.port}/docs",
    ]
    assert code == 0
    assert "Application startup complete." in err
    assert "GET /books" not in err


@pytest.mark.parametrize(
    ("by", "arguments"),
    [
        pytest.param(signal.SIGTERM, [], id="told"),
        pytest.param(signal.SIGINT, ["--workers", "2"], id="workers, by Ctrl-C"),
        pytest.param(signal.SIGTERM, ["--workers", "2"], id="workers, told", marks=only_when_thorough),
        pytest.param(signal.SIGINT, ["--reload"], id="reloading, by Ctrl-C", marks=only_when_thorough),
    ],
)
def test_shuts_down_soon_although_clients_stay_connected(folder, by, arguments):
    with serving(folder, "shop:make", *arguments) as served:
        connection = served.connection()
        ask(connection, "GET", "/books")
        began = time.monotonic()
        code, _, err = served.end(by)

    assert (code, "Traceback" in err) == (0, False), err
    # Clients that stay would keep it for as long as they stay.
    assert time.monotonic() - began < 60


def test_a_second_ctrl_c_ends_it_at_once_without_a_traceback(folder):
    with serving(folder, "shop:app") as served:
        connection = served.connection()
        connection.request("GET", "/wait")
        # Answered by the same loop, so that the other request is being answered by then.
        ask(served.connection(), "GET", "/who")
        served.process.send_signal(signal.SIGINT)
        wait_until_it_refuses(served)
        code, _, err = served.end(signal.SIGINT)

    assert code == 0
    assert "A request was cancelled" in err
    assert "Traceback" not in err


def wait_until_it_refuses(served: Served) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        for _ in range(10_000):
            ask(served.connection(), "GET", "/who")
        pytest.fail("it still serves")


def test_a_cursor_of_one_worker_is_good_with_another(folder):
    with serving(folder, "shop:app", "--workers", "2") as served:
        first, second = two_workers(served)
        for title in ("Emma", "Dune"):
            ask(first, "POST", "/books", {"title": title})
        page = ask(first, "GET", "/books?limit=1")

        following = ask(second, "GET", f"/books?limit=1&cursor={page['next_cursor']}")

    assert [each["title"] for each in page["items"]] == ["Emma"]
    # Each worker has a memory of its own, and that of the second is empty.
    assert following["items"] == []


def two_workers(served: Served) -> list[http.client.HTTPConnection]:
    """A connection to each of two workers; which one takes a connection is up to chance."""
    found: dict[int, http.client.HTTPConnection] = {}
    deadline = time.monotonic() + PATIENCE
    while len(found) < 2:
        assert time.monotonic() < deadline, f"only {list(found)} answered"
        connection = served.connection()
        found.setdefault(ask(connection, "GET", "/who"), connection)
    return list(found.values())


def test_reloads_what_has_changed(folder):
    with serving(folder, "shop:app", "--reload") as served:
        before = ask(served.connection(), "GET", "/who")
        os.utime(folder / "shop.py", (time.time() + 60, time.time() + 60))
        deadline = time.monotonic() + PATIENCE
        after = before
        while after == before and time.monotonic() < deadline:
            time.sleep(0.2)
            with contextlib.suppress(OSError, http.client.HTTPException):
                after = ask(served.connection(), "GET", "/who")

    assert after != before


def test_logs_as_the_settings_say_in_every_worker(folder):
    variables = {"FASTAPI_EASY_LOG__JSON_LINES": "true"}
    with serving(folder, "shop:app", "--workers", "2", "--access-log", **variables) as served:
        ask(served.connection(), "GET", "/books")
        _, _, err = served.end(signal.SIGTERM)

    lines = [json.loads(each) for each in err.splitlines()]
    assert {each["logger"] for each in lines} >= {"uvicorn.error", "uvicorn.access"}
    assert any('"GET /books HTTP/1.1" 200' in each["message"] for each in lines)


def test_prints_mistakes_of_declarations_without_a_traceback(folder):
    ended = call(folder, "run", "mistaken:app")

    assert ended.returncode == 2
    heading, first, second = ended.stderr.splitlines()
    assert heading == "2 mistakes in the declarations:"
    assert "'colour'" in first
    assert "<class 'int'>" in second


def test_shows_the_traceback_when_debugging(folder):
    ended = call(folder, "run", "mistaken:app", "--debug")

    assert ended.returncode == 2
    assert "Traceback" in ended.stderr
    assert "mistaken.py" in ended.stderr


def test_prints_a_message_when_the_port_is_in_use(folder):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        ended = call(folder, "run", "shop:app", "--port", port)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"port {port} on 127.0.0.1 is taken by another program: stop it, or choose another port with --port\n"
    )


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=only_when_thorough)])
def test_prints_a_message_when_the_app_does_not_start(folder, workers):
    ended = call(folder, "run", "shop:closed", "--port", "0", "--workers", workers)

    assert ended.returncode == 3
    assert "the warehouse does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_server_refuses_unknown_settings(folder):
    ended = call(folder, "run", "shop:app", FASTAPI_EASY_HTPP__PREFIX="/x")

    assert ended.returncode == 2
    assert "FASTAPI_EASY_HTPP__PREFIX is not a setting" in ended.stderr
    assert "Traceback" not in ended.stderr
