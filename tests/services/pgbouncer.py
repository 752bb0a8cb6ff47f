"""PgBouncer, Debian's, in transaction mode: three connections to the PostgreSQL server of the tests."""

import signal
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from tests.services.postgres import POSTGRES
from tests.services.service import (
    Recipe,
    Service,
    await_ready,
    find_program,
    free_port,
    new_folder,
    spawn,
    unprivileged_account,
)

POOL_SIZE = 3
"""Connections to the server for each database: fewer than the clients have, so that they share them."""


def _url(port: int) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _locate() -> Path | None:
    return find_program("pgbouncer")


def _start(program: Path) -> Service:
    # Not at the top: what obtains servers knows this recipe.
    from tests.services.obtain import obtain  # noqa: PLC0415

    return start_before(program, obtain("postgres").url)


def start_before(program: Path, server: str, **settings: str | int) -> Service:
    """Start a pooler before the PostgreSQL server at the URL *server*.

    Args:
        program: Debian's.

        server: Where its connections lead.

        settings: Of `pgbouncer.ini`, in addition or instead.
    """
    account = unprivileged_account()
    folder, port = new_folder("pgbouncer", account), free_port()
    (folder / "pgbouncer.ini").write_text(_configuration(urlsplit(server), port, settings))
    service = Service(
        name="pgbouncer",
        url=_url(port),
        source=f"started from {program}",
        process=spawn([str(program), str(folder / "pgbouncer.ini")], folder, account=account),
        folder=folder,
        stop_signal=signal.SIGKILL,
    )
    await_ready(service, lambda: POSTGRES.answers(service.url))
    return service


def _configuration(parts: SplitResult, port: int, settings: dict[str, str | int]) -> str:
    to = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password or ""),
    }
    chosen = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        # Everybody is the user above.
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": POOL_SIZE,
        "max_client_conn": 500,
        **settings,
    }
    database = " ".join(f"{name}={value}" for name, value in to.items() if value)
    lines = [f"{name} = {value}" for name, value in chosen.items()]
    return "\n".join(["[databases]", f"* = {database}", "[pgbouncer]", *lines, ""])


PGBOUNCER = Recipe(
    name="pgbouncer",
    variable="TEST_PGBOUNCER_URL",
    url=_url,
    default_port=6432,
    advice="`apt-get install pgbouncer`",
    packages=("pgbouncer",),
    container=None,
    locate=_locate,
    start=_start,
    answers=POSTGRES.answers,
    create=POSTGRES.create,
    drop=POSTGRES.drop,
)
