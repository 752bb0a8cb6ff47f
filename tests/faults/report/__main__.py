"""`python -m tests.faults.report`: measure what becomes of an application under each fault, and print one table.

Ends with 1 when a figure is not what was wanted, or a measurement gave none.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Sequence

from tests.faults.report.busy import busy
from tests.faults.report.figure import Figure
from tests.faults.report.measuring import Failed, measure, names
from tests.faults.report.table import failed, markdown, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line."""
    known = names()
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _ = parser.add_argument(
        "--only", type=_chosen_from(known), metavar="NAME,…", help=f"of {', '.join(known)}"
    )
    _ = parser.add_argument("--busy", action="store_true", help="beside eight processes that compute")
    _ = parser.add_argument(
        "--write", action="store_true", help="put the table into docs/explanation/faults.md"
    )
    chosen = parser.parse_args(arguments)
    if chosen.write and chosen.only:
        parser.error("--write is for the whole report: leave --only out")
    figures: list[Figure] = []
    with busy() if chosen.busy else contextlib.nullcontext():
        for name in chosen.only or known:
            figures += _measured(name)
    print(f"\n{markdown(figures)}")
    if chosen.write:
        write(figures, is_busy=chosen.busy)
    missed = [each for each in figures if not each.met]
    print(f"{len(figures) - len(missed)} of {len(figures)} figures are as wanted.")
    for each in missed:
        print(f"  {each.fault}: {each.what}, {each.server}: {each.value} (wanted {each.wanted})")
    return 1 if missed or not figures else 0


def _chosen_from(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [each for each in chosen if each not in known]:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}, only {', '.join(known)}")
        return chosen

    return read


def _measured(name: str) -> list[Figure]:
    """The figures of one measurement, or the line that says why there are none."""
    begun = time.monotonic()
    print(f"{name} …", end=" ", flush=True)
    try:
        figures = measure(name)
    except Failed as reason:
        figures = [failed(name, str(reason))]
    print(f"{time.monotonic() - begun:.0f} s", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
