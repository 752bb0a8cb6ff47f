"""The kernel on SQLite and MongoDB, beside the same written by hand."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from benchmarks.bench import Bench
from benchmarks.catalogue import ENDPOINTS, PAGE, Column, Endpoint
from benchmarks.equality import check
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.load import Load, Measured, put_load
from benchmarks.programs import run_program
from benchmarks.rounds import Rounds, cpu_each, per_second, run_rounds
from benchmarks.serving import served
from tests.services import drop_scratch_database, obtain, scratch_database
from tests.services.service import Service

ROWS: Final = 20_000
FASTER: Final = Target(at_least=2.0)
"""Requests/s, × by hand."""

HAND: Final = "by hand"
BARE: Final = "bare driver"
KERNEL: Final = "fastapi_easy"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A column on a store of its own.

    Attributes:
        name: In the table.

        target: The module with its `app`.

        fill: The word by which `benchmarks.inside.fill` knows how it keeps its rows.
    """

    name: str
    target: str
    fill: str = "hand"


@dataclass(frozen=True, slots=True)
class Store:
    """A kind of store.

    Attributes:
        name: In the table.

        contestants: Who is measured on it.

        open: Makes an empty one, and gives its URL.

        trim: Takes away what was created in the one at a URL.
    """

    name: str
    contestants: Sequence[Contestant]
    open: Callable[[], AbstractContextManager[str]]
    trim: Callable[[str], None]


def measure(bench: Bench) -> Part:
    """Check that all answer the same on each store, and measure them.

    Raises:
        LoadFailed: One answered something else than the others, or errors.

        Unavailable: There is no MongoDB, and none can be started.
    """
    findings: list[Finding] = []
    rows: list[tuple[str, ...]] = []
    figures: dict[str, Any] = {}
    for store in STORES:
        rounds = _rounds(bench, store)
        figures[store.name] = rounds.figures()
        found = {name: _finding(rounds, store, endpoint) for name, endpoint in ENDPOINTS.items()}
        findings += found.values()
        rows += [
            (
                f"{each.name} on {store.name}",
                *(
                    _cell(rounds, f"{name}/{each.name}", found[name] if each.name == KERNEL else None)
                    for name in ENDPOINTS
                ),
            )
            for each in store.contestants
        ]
    title = f"{ROWS:,} rows, requests/s (µs of CPU of the server), and × by hand:"
    table = Table(title, ("", *(each.title for each in ENDPOINTS.values())), rows)
    return Part(tables=[table], findings=findings, figures=figures)


def _finding(rounds: Rounds, store: Store, endpoint: Endpoint) -> Finding:
    ratio = rounds.ratio(f"{endpoint.name}/{KERNEL}", f"{endpoint.name}/{HAND}", per_second)
    return Finding(f"{store.name}, {endpoint.title}: × by hand", ratio, FASTER)


def _cell(rounds: Rounds, name: str, finding: Finding | None) -> str:
    shown = f"{number(rounds.median(name, per_second))} ({number(rounds.median(name, cpu_each))})"
    return shown if finding is None else f"{shown}; × {finding}"


def _rounds(bench: Bench, store: Store) -> Rounds:
    with ExitStack() as stack:
        running: Mapping[str, tuple[Service, str]] = {
            each.name: stack.enter_context(_filled(bench, store, each)) for each in store.contestants
        }
        return run_rounds(
            {
                f"{endpoint.name}/{name}": partial(_put, bench.seconds / 2, store, service, url, endpoint)
                for endpoint in ENDPOINTS.values()
                for name, (service, url) in running.items()
            },
            bench.rounds,
            bench.tell,
        )


@contextmanager
def _filled(bench: Bench, store: Store, contestant: Contestant) -> Iterator[tuple[Service, str]]:
    column = Column(letter=store.name, title=f"{contestant.name} on {store.name}", target=contestant.target)
    with store.open() as url:
        _ = run_program("fill", bench.cores.server, contestant.fill, str(ROWS), url=url)
        with served(column.target, url, bench.cores.server) as service:
            check(column, service.url, ROWS)
            store.trim(url)
            bench.tell(f"{column.title}: answers as it must")
            for endpoint in ENDPOINTS.values():
                _ = _put(1, store, service, url, endpoint, 0)
            yield service, url


def _put(seconds: float, store: Store, service: Service, url: str, endpoint: Endpoint, seed: int) -> Measured:
    measured = put_load(service, Load(endpoint.name, PAGE, seed, rows=ROWS), seconds)
    if endpoint.writes:
        store.trim(url)
    return measured


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite+aiosqlite:///{Path(folder) / 'bench.sqlite3'}"


def _trim_sqlite(url: str) -> None:
    connection = sqlite3.connect(url.partition(":///")[2], timeout=10)
    with connection:
        _ = connection.execute("DELETE FROM items WHERE id > ?", (ROWS,))
    connection.close()


@contextmanager
def _mongo() -> Iterator[str]:
    service = obtain("mongo")
    url = scratch_database(service)
    try:
        yield url
    finally:
        drop_scratch_database(service, url)


def _trim_mongo(url: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:
        _ = client.get_default_database()["items"].delete_many({"_id": {"$gt": ROWS}})


_COLUMNS: Final = "benchmarks.columns"
STORES: Final = (
    Store(
        "SQLite",
        (
            Contestant(HAND, f"{_COLUMNS}.by_hand:app"),
            Contestant(KERNEL, f"{_COLUMNS}.kernel:app", "kernel"),
        ),
        _sqlite,
        _trim_sqlite,
    ),
    Store(
        "MongoDB",
        (
            Contestant(HAND, f"{_COLUMNS}.by_hand_mongo:app"),
            Contestant(BARE, f"{_COLUMNS}.limit_mongo:app"),
            Contestant(KERNEL, f"{_COLUMNS}.kernel_mongo:app", "kernel"),
        ),
        _mongo,
        _trim_mongo,
    ),
)
