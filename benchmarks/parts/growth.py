"""What grows with the page, the offset, and the numbers of connections, workers and resources."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import httpx2

from benchmarks.bench import Bench
from benchmarks.catalogue import COLUMNS, HAND, KERNEL, LIMIT, PAGE, Column
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.load import Load, put_load
from benchmarks.programs import run_program
from benchmarks.rounds import Rounds, Run, cpu_each, p99, per_second, run_rounds
from benchmarks.serving import served
from tests.services.service import Service

PAGES: Final = (10, 100, 1000)
OFFSETS: Final = (0, 50_000, 99_000)
RESOURCES: Final = (1, 50, 200, 1000)
WORKERS: Final = (1, 2, 4)
CONNECTIONS: Final = (32, 256, 1000)
ROUTING: Final = Target(at_most=1.1)
"""What one of 1,000 resources may cost, × the only one."""


def measure(bench: Bench) -> Part:
    """Measure each kind of growth.

    Raises:
        LoadFailed: An answer was an error.
    """
    pages, page_figures = _pages(bench)
    connections, connection_figures = _connections(bench)
    workers, worker_figures = _workers(bench)
    resources, finding, resource_figures = _resources(bench)
    return Part(
        tables=[*pages, connections, workers, resources],
        findings=[finding],
        figures={
            **page_figures,
            "connections": connection_figures,
            "workers": worker_figures,
            "resources": resource_figures,
        },
    )


def _pages(bench: Bench) -> tuple[Sequence[Table], Mapping[str, Any]]:
    columns = [COLUMNS[letter] for letter in (HAND, LIMIT, KERNEL)]
    with ExitStack() as stack:
        running = {
            column.letter: stack.enter_context(
                served(column.target, bench.database.async_url, bench.cores.server)
            )
            for column in columns
        }
        sizes = run_rounds(
            {
                f"{size}/{column.letter}": _get(bench, running[column.letter], f"/items?limit={size}")
                for size in PAGES
                for column in columns
            },
            bench.rounds,
            bench.tell,
        )
        kernel = running[KERNEL]
        depths = run_rounds(
            {
                f"{depth}/{name}": _get(bench, service, path)
                for depth in OFFSETS
                for name, service, path in (
                    (HAND, running[HAND], f"/items?limit=100&offset={depth}"),
                    ("offset", kernel, f"/items?limit=100&offset={depth}"),
                    ("cursor", kernel, _behind(kernel, depth)),
                )
            },
            bench.rounds,
            bench.tell,
        )
    names = [f"({column.letter}) {column.title}" for column in columns]
    size_rows = [
        (f"{size} rows", *(_cell(sizes, f"{size}/{column.letter}") for column in columns)) for size in PAGES
    ]
    depth_rows = [
        (f"{depth:,}", *(_cell(depths, f"{depth}/{name}") for name in (HAND, "offset", "cursor")))
        for depth in OFFSETS
    ]
    return (
        Table("A page, without total, requests/s (µs of CPU):", ("", *names), size_rows),
        Table(
            "100 rows at a depth, requests/s (µs of CPU of the server, without the database's):",
            ("rows skipped", "(a) by offset", "(e) by offset", "(e) by cursor"),
            depth_rows,
        ),
    ), {"page": sizes.figures(), "depth": depths.figures()}


def _behind(kernel: Service, depth: int) -> str:
    """The path of the page behind so many rows, by cursor."""
    if depth == 0:
        return "/items?limit=100"
    before = httpx2.get(f"{kernel.url}/items?limit=1&offset={depth - 1}").raise_for_status().json()
    return f"/items?limit=100&cursor={quote(before['next_cursor'])}"


def _get(bench: Bench, service: Service, path: str) -> Run:
    return lambda seed: put_load(service, Load("path", path, seed), bench.seconds / 2)


def _cell(rounds: Rounds, name: str) -> str:
    return f"{number(rounds.median(name, per_second))} ({number(rounds.median(name, cpu_each))})"


def _connections(bench: Bench) -> tuple[Table, Mapping[str, Any]]:
    columns = [COLUMNS[letter] for letter in (HAND, LIMIT, KERNEL)]
    with ExitStack() as stack:
        running = {
            column.letter: stack.enter_context(
                served(column.target, bench.database.async_url, bench.cores.server)
            )
            for column in columns
        }
        rounds = run_rounds(
            {
                f"{count}/{letter}": partial(_load, bench, service, Load("get", connections=count))
                for count in CONNECTIONS
                for letter, service in running.items()
            },
            bench.rounds,
            bench.tell,
        )
    rows = [
        (
            f"{count:,} connections",
            *(
                f"{number(rounds.median(f'{count}/{column.letter}', per_second))}"
                f" ({number(rounds.median(f'{count}/{column.letter}', p99))} ms)"
                for column in columns
            ),
        )
        for count in CONNECTIONS
    ]
    names = [f"({column.letter}) {column.title}" for column in columns]
    return Table("get by key, requests/s (p99):", ("", *names), rows), rounds.figures()


def _workers(bench: Bench) -> tuple[Table, Mapping[str, Any]]:
    """On every core, since two workers need two."""
    everywhere = bench.cores.server | bench.cores.load
    chosen: list[Column] = [COLUMNS[HAND], COLUMNS[KERNEL]]
    with ExitStack() as stack:
        running = {
            (workers, column.letter): stack.enter_context(
                served(column.target, bench.database.async_url, everywhere, workers=workers)
            )
            for workers in WORKERS
            for column in chosen
        }
        loads = {"get": Load("get"), "list": Load("list", PAGE)}
        rounds = run_rounds(
            {
                f"{name}/{workers}/{letter}": partial(_load, bench, service, load)
                for name, load in loads.items()
                for (workers, letter), service in running.items()
            },
            bench.rounds,
            bench.tell,
        )
    rows = [
        (
            f"({column.letter}) {column.title}",
            *(
                cell
                for name in loads
                for cell in (
                    *(_cell(rounds, f"{name}/{workers}/{column.letter}") for workers in WORKERS),
                    number(
                        rounds.ratio(
                            f"{name}/{WORKERS[-1]}/{column.letter}", f"{name}/1/{column.letter}", per_second
                        )
                    ),
                )
            ),
        )
        for column in chosen
    ]
    header = ("", *(f"{name}, {what}" for name in loads for what in (*map(_workers_text, WORKERS), "×")))
    title = (
        f"Workers on all {len(everywhere)} cores, of which wrk and PostgreSQL keep to {len(bench.cores.load)},"
        " requests/s (µs of CPU):"
    )
    return Table(title, header, rows), rounds.figures()


def _workers_text(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"


def _load(bench: Bench, service: Service, load: Load, seed: int) -> Any:
    return put_load(service, load, bench.seconds / 2)


def _resources(bench: Bench) -> tuple[Table, Finding, Mapping[str, Any]]:
    """In process, so that nothing but the kernel counts."""
    counts = ",".join(map(str, RESOURCES))
    printed = run_program("many_resources", bench.cores.server, counts, str(5 * bench.rounds))
    found: Mapping[str, Mapping[str, float]] = json.loads(printed)
    most = str(RESOURCES[-1])
    finding = Finding(f"routing {RESOURCES[-1]:,} resources, × one", found[most]["ratio"], ROUTING)
    each = [found[str(count)] for count in RESOURCES]
    ratios = [number(one["ratio"]) for one in each[:-1]]
    table = Table(
        "Resources: get by key on the last of so many, in process and memory:",
        ("", *(f"{count:,}" for count in RESOURCES)),
        [
            ("µs of CPU", *(number(one["microseconds"]) for one in each)),
            ("× the only one", *ratios, str(finding)),
            ("CPU seconds to start", *(number(one["start_seconds"]) for one in each)),
        ],
    )
    return table, finding, found
