"""Holds what stores and brokers have at the end against what clients were answered."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.faults.chaos.file_broker import Published
from tests.faults.chaos.judging.documented import Documented, objection
from tests.faults.chaos.judging.history import Ending, Kind, Request
from tests.faults.chaos.judging.stored import ArticleRow, Event, Stored


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that may not be.

    Attributes:
        what: Which promise was broken, the same words for all of one kind: `a lost write`.

        evidence: The request, with its answers, and the rows.
    """

    what: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.what}: {self.evidence}"


def undocumented(
    requests: Iterable[Request], known: Mapping[str, frozenset[Documented]]
) -> Iterator[Violation]:
    """Answers that the documentation does not know, or that no request deserved, and requests without any."""
    for request in requests:
        for answer in request.answers:
            wrong = objection(request, answer, known)
            if wrong is not None:
                yield Violation("an undocumented answer", f"{wrong}: {answer}, to {request}")
            if answer.detail == "ReadTimeout":
                yield Violation("no answer from a process that runs", str(request))
        if request.has_key and request.answers and request.answers[-1].asks_for_a_retry:
            yield Violation("a request with a key that never succeeded", str(request))


def miscounted(requests: Iterable[Request], stored: Stored) -> Iterator[Violation]:
    """Changes that were acknowledged and are not there once, or refused and there, of one store."""
    created = Counter(each.name for each in stored.events if each.verb == "created")
    updated = Counter(each.note for each in stored.events if each.verb == "updated")
    deleted = Counter(each.key for each in stored.events if each.verb == "deleted")
    marked = Counter(name for name, _ in stored.marks)
    for request in requests:
        match request.kind:
            case Kind.CREATE | Kind.BULK:
                found = [created[name] for name in request.names]
                if len(set(found)) > 1:
                    yield Violation("half a bulk", f"made {found} times: {request}")
            case Kind.PATCH:
                found = [updated[request.id]]
            case Kind.DELETE if request.entity is not None:
                found = [deleted[request.entity]]
            case Kind.INCREMENT:
                found = [marked[request.id]]
            case _:
                continue
        yield from _compare(request, max(found) if max(found) > 1 else min(found))


def _compare(request: Request, found: int) -> Iterator[Violation]:
    if found in request.ending.allowed:
        return
    if found > 1:
        what = "a doubled write"
    elif request.ending is Ending.ACKNOWLEDGED:
        what = "a lost write"
    else:
        what = "a refused write that was made"
    yield Violation(what, f"made {found} times: {request}")


def inconsistent(store: str, stored: Stored) -> Iterator[Violation]:
    """Rows that are not what the events of their changes add up to, and counters that are not their increments."""
    rows: dict[int, ArticleRow] = {each.key: each for each in stored.articles}
    histories: dict[int, list[Event]] = {}
    for event in sorted(stored.events, key=lambda each: each.number):
        histories.setdefault(event.key, []).append(event)
    for key in sorted(rows.keys() | histories.keys()):
        row, events = rows.get(key), histories.get(key, [])
        wrong = _wrong_with(row, events)
        if wrong:
            yield Violation("a row that is not what its events say", f"{wrong}, {store}: {row}, {events}")
    marks = Counter(counter for _, counter in stored.marks)
    for key, value in stored.counters.items():
        if value != marks[key]:
            yield Violation(
                "a counter that is not its increments", f"{store} {key}: {value}, {marks[key]} marks"
            )


def _wrong_with(row: ArticleRow | None, events: Sequence[Event]) -> str | None:
    if not events or events[0].verb != "created":
        return "nothing says that it was created"
    changes = [each for each in events if each.verb != "deleted"]
    if [each.version for each in changes] != list(range(1, len(changes) + 1)):
        return "the versions are not one after the other"
    is_deleted = events[-1].verb == "deleted"
    if len(changes) + is_deleted != len(events):
        return "something happened after it was deleted"
    last = changes[-1]
    if row is None:
        return None if is_deleted else "it is gone"
    if is_deleted:
        return "it is still there"
    if (row.name, row.note, row.version) != (last.name, last.note, last.version):
        return "it is not as it was changed last"
    return None


def unpublished(store: str, stored: Stored, published: Sequence[Published]) -> Iterator[Violation]:
    """Events that were not published, or out of order, or published without having been committed."""
    mine = [each for each in published if each.event.startswith(f"{store}_articles.")]
    first: dict[str, int] = {}
    for place, each in enumerate(mine):
        _ = first.setdefault(each.id.replace("-", ""), place)
    committed = {each.id: each for each in stored.events}
    for message in sorted(first.keys() - committed.keys()):
        yield Violation("published, and not committed", f"{store}: {mine[first[message]]}")
    last: dict[int, tuple[int, Event]] = {}
    for event in sorted(stored.events, key=lambda each: each.number):
        if event.id not in first or not event.is_published:
            yield Violation("an event that was not published", f"{store}: {event}")
            continue
        place = first[event.id]
        if event.key in last and last[event.key][0] > place:
            yield Violation("published out of order", f"{store}: {event} before {last[event.key][1]}")
        last[event.key] = place, event
