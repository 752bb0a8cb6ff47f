"""MariaDB: the programs of Debian's packages."""

import contextlib
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pymysql

from tests.services.service import (
    Account,
    Container,
    Recipe,
    Service,
    Unavailable,
    await_ready,
    find_program,
    free_port,
    new_folder,
    run,
    spawn,
    unprivileged_account,
    with_database,
)

SETTINGS = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--max-connections=200",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
)


def _url(port: int) -> str:
    return f"mysql://root@127.0.0.1:{port}/mysql"


def _locate() -> Path | None:
    # my_print_defaults is what mariadb-install-db calls first, and comes from another package.
    helpers_exist = all(shutil.which(name) for name in ("mariadb-install-db", "my_print_defaults"))
    return find_program("mariadbd") if helpers_exist else None


def _start(program: Path) -> Service:
    account = unprivileged_account()
    folder, port = new_folder("mariadb", account), free_port()
    _initialise(folder, account)
    files = [f"--datadir={folder / 'data'}", f"--tmpdir={folder}", f"--socket={folder / 'socket'}"]
    service = Service(
        name="mariadb",
        url=_url(port),
        source=f"started from {program}",
        process=spawn(
            [str(program), "--no-defaults", *files, f"--port={port}", *SETTINGS], folder, account=account
        ),
        folder=folder,
    )
    await_ready(service, lambda: _answers(service.url))
    return service


def _initialise(folder: Path, account: Account | None) -> None:
    install = shutil.which("mariadb-install-db") or "mariadb-install-db"
    options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    files = [f"--datadir={folder / 'data'}", f"--tmpdir={folder}"]
    try:
        run([install, "--no-defaults", *files, *options], folder=folder, account=account)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        output = (error.stdout + error.stderr).decode(errors="replace")
        raise Unavailable(f"mariadb-install-db failed: {output[-2000:].strip()}") from error


def _connect(url: str) -> contextlib.closing[pymysql.Connection]:
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        autocommit=True,
        connect_timeout=2,
        read_timeout=30,
    )
    return contextlib.closing(connection)


def _execute(url: str, statement: str) -> tuple[object, ...] | None:
    with _connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row: tuple[object, ...] | None = cursor.fetchone()
    return row


def _answers(url: str) -> bool:
    return _execute(url, "SELECT 1") == (1,)


def _create(url: str, name: str) -> str:
    _execute(url, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    return with_database(url, name)


def _drop(url: str, name: str) -> None:
    _execute(url, f"DROP DATABASE IF EXISTS `{name}`")


MARIADB = Recipe(
    name="mariadb",
    variable="TEST_MARIADB_URL",
    url=_url,
    default_port=3306,
    advice="`apt-get install mariadb-server-core mariadb-client-core`",
    packages=("mariadb-server-core", "mariadb-client-core"),
    container=Container(
        image="mariadb:11",
        environment={"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "1"},
        arguments=lambda port: (f"--port={port}", *SETTINGS),
    ),
    locate=_locate,
    start=_start,
    answers=_answers,
    create=_create,
    drop=_drop,
)
