"""The kernel beside what it was at another commit, each in turn."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.bench import Bench
from benchmarks.catalogue import COLUMNS, KERNEL, VERSIONS, Column, Endpoint
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.load import LoadFailed
from benchmarks.parts.endpoints import compare
from benchmarks.rounds import Rounds, cpu_each, per_second
from benchmarks.serving import ROOT, served

SPEED_KEEPS: Final = Target(at_least=0.97)
MEMORY_KEEPS: Final = Target(at_most=1.0)


def measure(bench: Bench, revision: str) -> Part:
    """Measure the columns of the kernel at each endpoint, with its code of now and with that of *revision*.

    Raises:
        LoadFailed: git knows no such revision, a column answered something else than it must, or errors.
    """
    now = [COLUMNS[KERNEL], COLUMNS[VERSIONS]]
    then = {each.letter: replace(each, letter=before(each.letter)) for each in now}
    beside = replace(bench, columns=[one for each in now for one in (each, then[each.letter])])
    with code_of(revision) as folder, ExitStack() as stack:
        running = {}
        for column in beside.columns:
            path = f"{ROOT}" if column in now else f"{folder / 'src'}:{ROOT}"
            running[column.letter] = stack.enter_context(
                served(
                    column.target,
                    bench.database.async_url,
                    bench.cores.server,
                    environment={"PYTHONPATH": path},
                )
            )
        rounds, resident = compare(beside, running)
    return judge(now, bench.endpoints, rounds, resident, revision)


def judge(
    columns: Sequence[Column],
    endpoints: Sequence[Endpoint],
    rounds: Rounds,
    resident: Mapping[str, int],
    revision: str,
) -> Part:
    """What the rounds of *columns* at *endpoints* say, each beside itself at *revision*.

    Args:
        columns: Those of now; those of then have the letter that `before` answers.

        endpoints: Where they were measured.

        rounds: By endpoint and column, as in `get/e`.

        resident: Bytes in RAM after the load, by column.

        revision: What git calls the commit.
    """
    findings: list[Finding] = []
    cpu: list[str] = []
    for column in columns:
        for endpoint in endpoints:
            pair = f"{endpoint.name}/{column.letter}", f"{endpoint.name}/{before(column.letter)}"
            name = f"({column.letter}) {endpoint.title}, requests/s"
            findings.append(Finding(name, rounds.ratio(*pair, per_second), SPEED_KEEPS))
            cpu.append(number(rounds.ratio(*pair, cpu_each)))
        memory = resident[column.letter] / resident[before(column.letter)]
        findings.append(Finding(f"({column.letter}) memory after load", memory, MEMORY_KEEPS))
        cpu.append("")
    rows = [(each.name, str(each), used) for each, used in zip(findings, cpu, strict=True)]
    return Part(
        tables=[Table("", ("", f"× {revision}", "CPU for each request × before"), rows)],
        findings=findings,
        figures={"rounds": rounds.figures(), "resident_bytes": dict(resident)},
    )


def before(letter: str) -> str:
    """The letter of a column as it was."""
    return f"{letter} before"


@contextmanager
def code_of(revision: str) -> Iterator[Path]:
    """A folder with the package as it was at *revision*, gone at the end of the block.

    Raises:
        LoadFailed: git knows no such revision.
    """
    with TemporaryDirectory(prefix="fastapi-easy-before-") as folder:
        archive = Path(folder) / "src.tar"
        for command in (
            ["git", "archive", "--output", str(archive), revision, "src"],
            ["tar", "--extract", "--file", str(archive), "--directory", folder],
        ):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                raise LoadFailed(f"{command[0]}: {done.stderr.strip()}")
        yield Path(folder)
