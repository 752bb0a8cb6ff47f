"""What the commands ask of the composition root, and the plain values that go to and fro."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class CommandError(Exception):
    """The command cannot do what it was asked; worded for people, without a traceback.

    Attributes:
        sentence: What is wrong and how to mend it; may have several lines.

        mistakes: Each mistake alone, when the declarations or the settings are what is wrong.

        exit_code: Of the process.
    """

    def __init__(self, sentence: str, *, mistakes: Sequence[str] = (), exit_code: int = 2) -> None:
        self.sentence = sentence
        self.mistakes = tuple(mistakes)
        self.exit_code = exit_code
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a command is about.

    Attributes:
        path: As written, like `shop:app`.

        folder: Where its module is looked for first.
    """

    path: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to serve.

    Attributes:
        host, port: Where to listen; port 0 is any free one.

        reload: Start anew when a file below the target's folder changes.

        workers: Processes that serve; at least 1.

        log_level: Of the logs, like `INFO`; the setting `log.level` unless given.

        access_log: Log every request.
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
        name: Its place in the tree, like `http.prefix`.

        value: For people; secrets are masked.

        source: `environment`, `file`, `default`, or `code` when the container was given other settings.
    """

    name: str
    value: str
    source: str


class State(enum.StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        area: Like `database`.

        details: What programs may want to know.
    """

    area: str
    state: State
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything `doctor` found."""

    settings: tuple[Setting, ...]
    checks: tuple[Check, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong."""
        return all(each.state is not State.WRONG for each in self.checks)


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The breaker of one database in one process.

    Attributes:
        process: The number of the process.

        database: Its name.

        state: `closed`, `open`, `half_open` or `isolated`.

        retry_after: Seconds until it lets a call through.

        opened: How often it has opened.

        refused: How many calls it has refused.
    """

    process: int
    database: str
    state: str
    retry_after: float
    opened: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that somebody holds.

    Attributes:
        age: Seconds since it was granted.

        remaining: Seconds until it runs out unless it is renewed; `None` where locks do not run out.

        owner: Host, process and task.

        waiters: The owners that wait for it, the first one first.
    """

    name: str
    token: int
    age: float
    remaining: float | None
    owner: str
    waiters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The work behind the commands. Each raises `CommandError`.

    Attributes:
        serve: Serves until it is told to stop, and returns the exit code.

        list_routes: Every route of an app or a container.

        diagnose: Looks at everything an application needs.

        ask_breakers: Does `list`, `isolate` or `reset` in every process of a running application, to the breaker of
            a database, through a folder; tells how they stand then.

        list_locks: The locks of an application that are held and whose names begin with a prefix.

        evict_lock: Takes a lock from whoever holds it by a token, for a reason; whether anybody did.

        version: Of the package.
    """

    serve: Callable[[Serving], int]
    list_routes: Callable[[Target], Sequence[Route]]
    diagnose: Callable[[Target], Diagnosis]
    ask_breakers: Callable[[str, str | None, Path | None], Sequence[BreakerState]]
    list_locks: Callable[[Target, str], Sequence[Lock]]
    evict_lock: Callable[[Target, str, int, str], bool]
    version: Callable[[], str]
