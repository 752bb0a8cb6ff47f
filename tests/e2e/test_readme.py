"""The README's program, run as a stranger would: copied into an empty folder and served by the command."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stores import CHOSEN, empty_store
from tests.thorough import only_when_thorough

README = Path(__file__).parents[2] / "README.md"
PATIENCE = 120.0


def program() -> str:
    found = re.search(r"```python\n(# shop\.py\n.*?)```", README.read_text(), re.DOTALL)
    assert found
    return found.group(1)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, target: str, environment: dict[str, str]) -> Iterator[str]:
    """The base URL of *target*, served from *folder* by the installed command; its log is `server.log`."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "fastapi-easy"), "run", target, "--port", str(port)]
    log = (folder / "server.log").open("wb")
    server = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                call("GET", f"http://127.0.0.1:{port}/health/live")
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, (
                    folder / "server.log"
                ).read_text()
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0, (folder / "server.log").read_text()
        log.close()


def call(method: str, url: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers.items()), json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        return refused.code, dict(refused.headers.items()), json.loads(refused.read())


@pytest.mark.parametrize("store", ["sqlite", "postgres", pytest.param("mariadb", marks=only_when_thorough)])
def test_the_program_of_the_readme_serves_books(store: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(program())
    with empty_store(store, tmp_path) as url:
        environment = {} if store == "sqlite" else {CHOSEN: url}
        with served(tmp_path, "shop:app", environment) as base:
            status, headers, created = call("POST", f"{base}/books", {"title": "Emma", "price": "9.50"})
            lower = {name.lower(): value for name, value in headers.items()}
            assert (status, created) == (201, {"id": created["id"], "title": "Emma", "price": "9.50"})
            assert lower["location"].endswith(f"/books/{created['id']}")
            assert lower["etag"]
            assert call("GET", f"{base}/books?price__lt=10")[2]["items"] == [created]
            assert call("GET", f"{base}/books?prise__lt=10")[2]["code"] == "bad_query"
            assert call("PATCH", f"{base}/books/{created['id']}", {"price": "8.00"})[2]["price"] == "8.00"
        with served(tmp_path, "shop:app", environment) as base:
            assert call("GET", f"{base}/books/{created['id']}")[2]["price"] == "8.00"
    assert (tmp_path / "app.sqlite3").exists() is (store == "sqlite")


def test_the_program_is_as_long_as_the_readme_says() -> None:
    lines = [line for line in program().splitlines() if line.strip()]

    assert len(lines) <= 20
