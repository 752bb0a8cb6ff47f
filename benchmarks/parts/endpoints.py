"""Every column at every endpoint, over HTTP."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import Bench
from benchmarks.catalogue import Column, Endpoint
from benchmarks.equality import check
from benchmarks.findings import Part
from benchmarks.load import Load, Measured, put_load
from benchmarks.machine import resident_bytes
from benchmarks.postgres import Database
from benchmarks.rounds import Rounds, Run, run_rounds
from benchmarks.serving import process_of, served
from benchmarks.verdict import judge
from tests.services.service import Service


def measure(bench: Bench) -> Part:
    """Check that all columns answer the same, and measure each at each endpoint.

    Raises:
        LoadFailed: A column answered something else than the others, or errors.
    """
    with ExitStack() as stack:
        running = {
            column.letter: stack.enter_context(
                served(column.target, bench.database.async_url, bench.cores.server)
            )
            for column in bench.columns
        }
        rounds, resident = compare(bench, running)
    return judge(bench.columns, bench.endpoints, rounds, resident)


def compare(bench: Bench, running: Mapping[str, Service]) -> tuple[Rounds, Mapping[str, int]]:
    """What the rounds of the columns of *bench* brought, and the bytes that each had in RAM after them.

    Args:
        bench: Whose columns are compared.

        running: Where each is served, by letter.

    Raises:
        LoadFailed: A column answered something else than the others, or errors.
    """
    for column in bench.columns:
        check(column, running[column.letter].url)
        bench.database.restore(column.table)
        bench.tell(f"({column.letter}) {column.title}: answers as it must")
    _warm_up(bench, running)
    runs = {
        f"{endpoint.name}/{column.letter}": _run(bench, running[column.letter], column, endpoint)
        for endpoint in bench.endpoints
        for column in bench.columns
    }
    rounds = run_rounds(runs, bench.rounds, bench.tell)
    return rounds, {letter: resident_bytes(process_of(service)) for letter, service in running.items()}


def _warm_up(bench: Bench, running: Mapping[str, Service]) -> None:
    for column in bench.columns:
        for endpoint in bench.endpoints:
            _ = _put(bench.database, running[column.letter], column, endpoint, 1, 0)


def _run(bench: Bench, service: Service, column: Column, endpoint: Endpoint) -> Run:
    return partial(_put, bench.database, service, column, endpoint, bench.seconds)


def _put(
    database: Database, service: Service, column: Column, endpoint: Endpoint, seconds: float, seed: int
) -> Measured:
    name = column.patch if endpoint.name == "patch" else endpoint.name
    measured = put_load(service, Load(name, column.list, seed), seconds)
    if endpoint.writes:
        database.restore(column.table)
    return measured
