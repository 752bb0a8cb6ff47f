"""`make bench`, or `python -m benchmarks`: measure, print the tables, and keep them."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Final

from benchmarks import results
from benchmarks.bench import Bench
from benchmarks.catalogue import COLUMNS, ENDPOINTS
from benchmarks.findings import Finding
from benchmarks.load import CONNECTIONS, LoadFailed, find_wrk
from benchmarks.machine import cores, description, pin
from benchmarks.parts import before, bulk, endpoints, exporting, growth, layers, starting, stores
from benchmarks.postgres import database
from tests.services import Unavailable, release

PARTS: Final[Mapping[str, ModuleType]] = {
    "endpoints": endpoints,
    "layers": layers,
    "growth": growth,
    "starting": starting,
    "stores": stores,
    "bulk": bulk,
    "export": exporting,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; 1 when something could not be measured."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.before and (chosen.parts or chosen.columns):
        parser.error("--before has parts and columns of its own: leave --parts and --columns out")
    if chosen.quick:
        chosen.rounds, chosen.seconds = 1, 1
    # A part of the columns is a look at the work in progress, not at everything.
    is_partial = chosen.columns is not None or chosen.endpoints is not None
    names = chosen.parts or (["endpoints"] if is_partial else list(PARTS))
    if chosen.before:
        names = ["before"]
    try:
        _ = find_wrk()
        findings = _measure(chosen, names, keeps=not (is_partial or chosen.quick or chosen.before))
    except (LoadFailed, Unavailable) as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    finally:
        release()
    missed = [each for each in findings if not each.is_met]
    print(f"{len(findings) - len(missed)} of {len(findings)} targets are met." if findings else "")
    for each in missed:
        print(f"  {each.name}: {each}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    for option, names, then in (
        ("--parts", PARTS, "all unless given"),
        ("--columns", COLUMNS, "of a part of them nothing is kept"),
        ("--endpoints", ENDPOINTS, "of a part of them nothing is kept"),
    ):
        _ = parser.add_argument(
            option, type=_chosen_from(names), metavar="NAME,…", help=f"of {', '.join(names)}; {then}"
        )
    _ = parser.add_argument(
        "--before",
        metavar="REVISION",
        help="beside the kernel at another commit, and nothing else; nothing is kept",
    )
    _ = parser.add_argument("--rounds", type=_at_least_one(int), default=5)
    _ = parser.add_argument("--seconds", type=_at_least_one(float), default=4.0, help="of one load")
    _ = parser.add_argument("--quick", action="store_true", help="one round of a second; nothing is kept")
    return parser


def _chosen_from(names: Mapping[str, object]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [each for each in chosen if each not in names]:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}, only {', '.join(names)}")
        return chosen

    return read


def _at_least_one(kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = kind(text)
        if number < 1:
            raise argparse.ArgumentTypeError("it must be 1 or more")
        return number

    return read


def _measure(chosen: argparse.Namespace, names: Sequence[str], *, keeps: bool) -> list[Finding]:
    """Measure the parts *names*, show each, and keep each if *keeps*."""
    available = cores()
    # What is started from here on is load, unless it is put elsewhere.
    pin(0, available.load)
    _say(description() + ("" if available.are_apart else "; ONE core, so the load slows down the server"))
    findings: list[Finding] = []
    with database() as opened:
        opened.load()
        _say(f"PostgreSQL {opened.version}, {opened.where}")
        bench = Bench(
            database=opened,
            cores=available,
            columns=[COLUMNS[letter] for letter in chosen.columns or COLUMNS],
            endpoints=[ENDPOINTS[name] for name in chosen.endpoints or ENDPOINTS],
            rounds=chosen.rounds,
            seconds=chosen.seconds,
            tell=_say,
        )
        how = f"{chosen.rounds} rounds of {chosen.seconds:g} s, {CONNECTIONS} connections, PostgreSQL {opened.version}"
        for name in names:
            _say(f"\n{name}")
            part = before.measure(bench, chosen.before) if name == "before" else PARTS[name].measure(bench)
            written = results.document(part, how)
            _say(f"\n{results.markdown(written)}\n{results.circumstances({name: written})}")
            findings += part.findings
            if keeps:
                results.write_pages(results.keep(name, written))
    return findings


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
