"""The functions that commands need from the composition root, and the plain values they exchange."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TARGET_VARIABLE: Final = "_FASTAPI_EASY_TARGET"
"""The environment variable in which `run` tells the processes it starts what was asked for, like `shop:app`."""


class CommandError(Exception):
    """A command cannot be carried out; the message is for people, without a traceback.

    Attributes:
        message: What is wrong and how to fix it; may have several lines.

        mistakes: Each mistake separately, if the declarations or the settings are wrong.

        exit_code: The exit code of the process.
    """

    def __init__(self, message: str, *, mistakes: Sequence[str] = (), exit_code: int = 2) -> None:
        self.message = message
        self.mistakes = tuple(mistakes)
        self.exit_code = exit_code
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The application that a command works on.

    Attributes:
        path: As the user wrote it, like `shop:app`.

        folder: The first folder in which its module is searched.
    """

    path: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The options of `run`.

    Attributes:
        host, port: The address to listen on; port 0 is any free port.

        reload: Whether to restart when a file below the target's folder changes.

        workers: The number of processes; at least 1.

        log_level: A level like `INFO`, or `None` for the setting `log.level`.

        access_log: Whether to log every request.
    """

    target: Target
    host: str = "127.0.0.1"
    port: int = 8000
    reload: bool = False
    workers: int = 1
    log_level: str | None = None
    access_log: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an application.

    Attributes:
        name: Its operation id, or the name of its function.

        resource: The resource it belongs to; empty for the app's own.
    """

    method: str
    path: str
    name: str
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: Its path in the tree, like `http.prefix`.

        value: The value as text, with secrets masked.

        source: `environment`, `file`, `default`, or `code` if the container was created with other settings.
    """

    name: str
    value: str
    source: str


class State(enum.StrEnum):
    """The result of a check."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its result.

    Attributes:
        area: The part of the application, like `database`.

        message: The result for people.

        details: The result for programs, as members of the JSON output.
    """

    area: str
    state: State
    message: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The results of `doctor`."""

    settings: tuple[Setting, ...]
    checks: tuple[Check, ...]

    @property
    def is_healthy(self) -> bool:
        """Return whether no check failed."""
        return all(each.state is not State.WRONG for each in self.checks)


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The circuit breaker of one database in one process.

    Attributes:
        process: The process id.

        database: The name of the database.

        state: `closed`, `open`, `half_open` or `isolated`.

        retry_after: Seconds until it lets a call through.

        opened: The number of times it has opened.

        refused: The number of calls it has rejected.
    """

    process: int
    database: str
    state: str
    retry_after: float
    opened: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that is held.

    Attributes:
        age: Seconds since it was granted.

        remaining: Seconds until it expires unless it is renewed; `None` if locks of this store do not expire.

        owner: The host, process and task that hold it.

        waiters: The owners that wait for it, in the order of the wait queue.
    """

    name: str
    token: int
    age: float
    remaining: float | None
    owner: str
    waiters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The functions behind the commands. Each raises `CommandError`.

    Attributes:
        serve: Serves until a signal arrives, and returns the exit code.

        list_routes: Returns every route of an app or a container.

        describe_messages: Returns the AsyncAPI document of an application.

        diagnose: Checks everything that an application needs.

        ask_breakers: Sends `list`, `isolate` or `reset` for the breaker of a database (or all of them) to every process
            of a running application, through a folder, and returns the states afterwards.

        list_locks: Returns the locks of an application that are held and whose names begin with a prefix.

        evict_lock: Takes a lock from the holder with a token, for a reason; returns whether there was such a holder.

        list_row_security: Returns the SQL that keeps the tenants of an application apart in its databases too.

        version: Returns the version of the package.
    """

    serve: Callable[[Serving], int]
    list_routes: Callable[[Target], Sequence[Route]]
    describe_messages: Callable[[Target], Mapping[str, object]]
    diagnose: Callable[[Target], Diagnosis]
    ask_breakers: Callable[[str, str | None, Path | None], Sequence[BreakerState]]
    list_locks: Callable[[Target, str], Sequence[Lock]]
    evict_lock: Callable[[Target, str, int, str], bool]
    list_row_security: Callable[[Target], Sequence[str]]
    version: Callable[[], str]
