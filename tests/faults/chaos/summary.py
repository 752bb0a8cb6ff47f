"""A run in words: on the screen, and on the page about faults."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.results import WIDTH
from tests.faults.chaos.judging.history import Ending, Request
from tests.faults.chaos.run import Report

PLACE: Final = "chaos"
"""The place of the page."""
SHOWN: Final = 10
"""Pieces of evidence that are shown for each kind of violation."""


def lines(report: Report) -> Iterator[str]:
    """Everything, a line each."""
    requests = report.history.requests
    yield f"\n{len(report.faults)} faults:"
    for name, number in sorted(Counter(name for name, _, _ in report.faults).items()):
        yield f"  {number:4} {name}"
    yield f"\n{len(requests)} requests, the answers to their attempts:"
    for (store, what), number in sorted(_answers(requests).items()):
        yield f"  {number:6} {store:9} {what}"
    yield "\nwhat clients may conclude, and what is stored:"
    for store, stored in report.stored.items():
        ended = Counter(each.ending for each in requests if each.store == store)
        yield (
            f"  {store}: {', '.join(f'{number} {ending}' for ending, number in sorted(ended.items()))}; "
            f"{len(stored.articles)} articles, {len(stored.events)} events, {len(stored.marks)} increments"
        )
    yield f"\nevery worker wrote to every store {report.recovery:.1f} s after the last fault"
    answered = [answer for each in requests for answer in each.answers if answer.status is not None]
    if answered:
        yield f"the slowest answer: {max(answered, key=lambda answer: answer.seconds)}"
    kinds = Counter(each.what for each in report.violations)
    for what, number in kinds.items():
        yield f"\n{number} × {what}:"
        for each in [each for each in report.violations if each.what == what][:SHOWN]:
            yield f"  {each.evidence}"
    yield f"\n{verdict(report)}"


def verdict(report: Report) -> str:
    """How it ended."""
    kinds = Counter(each.what for each in report.violations)
    return (
        "; ".join(f"{number} × {what}" for what, number in kinds.items())
        or "nothing was lost, doubled or leaked, and every answer was a documented one"
    )


def for_the_page(report: Report, minutes: float, seed: int) -> str:
    """The figures of the run, as the page has them."""
    attempts = sum(len(each.answers) for each in report.history.requests)
    text = (
        f"{minutes:g} minutes, seed {seed}: {len(report.faults)} faults, {len(report.history.requests):,} requests in "
        f"{attempts:,} attempts. Every process wrote to every store {report.recovery:.1f} s after the last fault. "
        f"{verdict(report).capitalize()}."
    )
    rows = ["| store | acknowledged | refused | unknown | entities | events |", "|---|--:|--:|--:|--:|--:|"]
    for store, stored in report.stored.items():
        ended = Counter(each.ending for each in report.history.requests if each.store == store)
        cells = [ended[each] for each in Ending]
        numbers = [*cells, len(stored.articles), len(stored.events)]
        rows.append(f"| {store} | {' | '.join(f'{number:,}' for number in numbers)} |")
    table = "\n".join(rows)
    return f"{textwrap.fill(text, WIDTH)}\n\n{table}\n"


def _answers(requests: Sequence[Request]) -> Counter[tuple[str, str]]:
    return Counter(
        (
            each.store,
            f"{answer.status} {answer.code}".strip() if answer.status else f"no answer ({answer.detail})",
        )
        for each in requests
        for answer in each.answers
    )
