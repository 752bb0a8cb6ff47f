"""The oracle of a run finds what is wrong in made-up histories, and nothing in those that are right."""

from collections.abc import Iterable, Sequence

import pytest

from tests.faults.chaos.file_broker import Published
from tests.faults.chaos.judging import oracle
from tests.faults.chaos.judging.documented import Documented, documented
from tests.faults.chaos.judging.history import Answer, Ending, Kind, Request
from tests.faults.chaos.judging.oracle import Violation
from tests.faults.chaos.judging.stored import ArticleRow, Event, Stored

CREATED, DONE = Answer(status=201), Answer(status=200)
GONE = Answer(status=204)
UNAVAILABLE = Answer(status=503, code="unavailable", retry_after=True)
UNKNOWN = Answer(status=503, code="outcome_unknown")
STALE = Answer(status=412, code="stale")
SILENCE = Answer(status=None, detail="ReadError")
NOBODY = Answer(status=None, was_sent=False, detail="ConnectError")

MADE = Event(id="a", number=1, verb="created", key=1, version=1, name="r1")
CHANGED = Event(id="b", number=2, verb="updated", key=1, version=2, name="r1", note="r2")
REMOVED = Event(id="c", number=3, verb="deleted", key=1, version=0)
ROW = ArticleRow(key=1, name="r1", note="", version=1)
CHANGED_ROW = ArticleRow(key=1, name="r1", note="r2", version=2)


def create(*answers: Answer, has_key: bool = False) -> Request:
    return Request(id="r1", store="sqlite", kind=Kind.CREATE, has_key=has_key, answers=[*answers])


def patch(*answers: Answer) -> Request:
    return Request(id="r2", store="sqlite", kind=Kind.PATCH, entity=1, answers=[*answers])


def delete(*answers: Answer) -> Request:
    return Request(id="r3", store="sqlite", kind=Kind.DELETE, entity=1, answers=[*answers])


def bulk(*answers: Answer) -> Request:
    return Request(id="r4", store="sqlite", kind=Kind.BULK, items=2, answers=[*answers])


def increment(*answers: Answer) -> Request:
    return Request(id="r5", store="sqlite", kind=Kind.INCREMENT, entity=1, answers=[*answers])


def made(name: str, number: int = 1) -> Event:
    return Event(id=f"{name}:{number}", number=number, verb="created", key=number, version=1, name=name)


def kinds(violations: Iterable[Violation]) -> list[str]:
    return [each.what for each in violations]


@pytest.mark.parametrize(
    ("request_", "ending"),
    [
        pytest.param(create(CREATED), Ending.ACKNOWLEDGED, id="a success"),
        pytest.param(create(UNAVAILABLE), Ending.REFUSED, id="a refusal"),
        pytest.param(create(NOBODY), Ending.REFUSED, id="nobody was there"),
        pytest.param(create(UNKNOWN), Ending.UNKNOWN, id="an unknown outcome"),
        pytest.param(create(SILENCE), Ending.UNKNOWN, id="no answer"),
        pytest.param(create(Answer(status=500, code="internal_error")), Ending.UNKNOWN, id="a defect"),
        pytest.param(create(), Ending.UNKNOWN, id="nothing yet"),
        pytest.param(create(SILENCE, CREATED, has_key=True), Ending.ACKNOWLEDGED, id="repeated to success"),
        pytest.param(create(SILENCE, UNAVAILABLE, has_key=True), Ending.UNKNOWN, id="repeated to no avail"),
        pytest.param(create(UNAVAILABLE, UNAVAILABLE, has_key=True), Ending.REFUSED, id="refused twice"),
        pytest.param(
            create(SILENCE, STALE, has_key=True), Ending.REFUSED, id="repeated to a definite answer"
        ),
    ],
)
def test_a_client_concludes_what_its_answers_say(request_: Request, ending: Ending) -> None:
    assert request_.ending is ending


@pytest.mark.parametrize(
    ("request_", "stored"),
    [
        pytest.param(create(CREATED), Stored(events=[MADE]), id="acknowledged, there"),
        pytest.param(create(UNAVAILABLE), Stored(), id="refused, not there"),
        pytest.param(create(UNKNOWN), Stored(), id="unknown, not there"),
        pytest.param(create(SILENCE), Stored(events=[MADE]), id="unknown, there"),
        pytest.param(create(SILENCE, CREATED, has_key=True), Stored(events=[MADE]), id="repeated, once"),
        pytest.param(bulk(DONE), Stored(events=[made("r4.0", 1), made("r4.1", 2)]), id="a whole bulk"),
        pytest.param(bulk(UNKNOWN), Stored(), id="no bulk"),
        pytest.param(patch(DONE), Stored(events=[MADE, CHANGED]), id="a patch"),
        pytest.param(patch(STALE), Stored(events=[MADE]), id="a patch that came too late"),
        pytest.param(delete(GONE), Stored(events=[MADE, REMOVED]), id="a delete"),
        pytest.param(increment(DONE), Stored(marks=[("r5", 1)]), id="an increment"),
    ],
)
def test_what_is_right_is_no_violation(request_: Request, stored: Stored) -> None:
    assert list(oracle.miscounted([request_], stored)) == []


@pytest.mark.parametrize(
    ("request_", "stored", "what"),
    [
        pytest.param(create(CREATED), Stored(), "a lost write", id="a lost create"),
        pytest.param(
            create(CREATED),
            Stored(events=[made("r1", 1), made("r1", 2)]),
            "a doubled write",
            id="two creates",
        ),
        pytest.param(
            create(SILENCE),
            Stored(events=[made("r1", 1), made("r1", 2)]),
            "a doubled write",
            id="unknown, twice",
        ),
        pytest.param(
            create(SILENCE, CREATED, has_key=True),
            Stored(events=[made("r1", 1), made("r1", 2)]),
            "a doubled write",
            id="a repetition that was made again",
        ),
        pytest.param(
            create(UNAVAILABLE), Stored(events=[MADE]), "a refused write that was made", id="a refused create"
        ),
        pytest.param(bulk(DONE), Stored(), "a lost write", id="a lost bulk"),
        pytest.param(bulk(UNKNOWN), Stored(events=[made("r4.1")]), "half a bulk", id="half a bulk"),
        pytest.param(patch(DONE), Stored(events=[MADE]), "a lost write", id="a lost patch"),
        pytest.param(
            patch(STALE),
            Stored(events=[MADE, CHANGED]),
            "a refused write that was made",
            id="a refused patch",
        ),
        pytest.param(delete(GONE), Stored(events=[MADE]), "a lost write", id="a lost delete"),
        pytest.param(increment(DONE), Stored(), "a lost write", id="a lost increment"),
        pytest.param(
            increment(DONE), Stored(marks=[("r5", 1), ("r5", 1)]), "a doubled write", id="two increments"
        ),
    ],
)
def test_a_write_that_is_not_as_often_there_as_it_was_answered_is_found(
    request_: Request, stored: Stored, what: str
) -> None:
    found = list(oracle.miscounted([request_], stored))

    assert kinds(found) == [what]
    assert request_.id in found[0].evidence


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        pytest.param(Stored(articles=[ROW], events=[MADE]), [], id="a new row"),
        pytest.param(Stored(articles=[CHANGED_ROW], events=[MADE, CHANGED]), [], id="a changed row"),
        pytest.param(Stored(events=[MADE, CHANGED, REMOVED]), [], id="a deleted row"),
        pytest.param(Stored(counters={1: 2}, marks=[("x", 1), ("y", 1)]), [], id="a counter"),
        pytest.param(Stored(articles=[ROW]), ["a row that is not what its events say"], id="no event"),
        pytest.param(Stored(events=[MADE]), ["a row that is not what its events say"], id="no row"),
        pytest.param(
            Stored(articles=[ROW], events=[MADE, CHANGED]),
            ["a row that is not what its events say"],
            id="a change that is not in the row",
        ),
        pytest.param(
            Stored(articles=[CHANGED_ROW], events=[MADE]),
            ["a row that is not what its events say"],
            id="a change without an event",
        ),
        pytest.param(
            Stored(articles=[ROW], events=[MADE, REMOVED]),
            ["a row that is not what its events say"],
            id="a row that should be gone",
        ),
        pytest.param(
            Stored(counters={1: 1}, marks=[("x", 1), ("y", 1)]),
            ["a counter that is not its increments"],
            id="a lost increment",
        ),
    ],
)
def test_rows_are_what_their_events_add_up_to(stored: Stored, what: list[str]) -> None:
    assert kinds(oracle.inconsistent("sqlite", stored)) == what


def published(*ids: str, store: str = "sqlite") -> Sequence[Published]:
    return [Published(each, f"{store}_articles.updated", 1, 0) for each in ids]


@pytest.mark.parametrize(
    ("events", "lines", "what"),
    [
        pytest.param([MADE, CHANGED], published("a", "b"), [], id="each once"),
        pytest.param([MADE, CHANGED], published("a", "b", "a"), [], id="one again"),
        pytest.param([MADE], [*published("a"), *published("z", store="mongo")], [], id="those of others"),
        pytest.param([MADE, CHANGED], published("b", "a"), ["published out of order"], id="out of order"),
        pytest.param(
            [MADE, CHANGED], published("a"), ["an event that was not published"], id="one is missing"
        ),
        pytest.param([MADE], published("a", "z"), ["published, and not committed"], id="one too many"),
    ],
)
def test_each_event_is_published_at_least_once_and_in_order(
    events: Sequence[Event], lines: Sequence[Published], what: list[str]
) -> None:
    assert kinds(oracle.unpublished("sqlite", Stored(events=events), lines)) == what


@pytest.mark.parametrize(
    "answer",
    [CREATED, UNAVAILABLE, UNKNOWN, SILENCE, NOBODY, Answer(status=504, code="deadline_exceeded")],
    ids=str,
)
def test_documented_answers_are_no_violation(answer: Answer) -> None:
    assert list(oracle.undocumented([create(answer)], documented())) == []


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        pytest.param(Answer(status=500, code="internal_error"), "nothing was wrong", id="a defect"),
        pytest.param(Answer(status=500), "500 without a code is not documented", id="a plain 500"),
        pytest.param(
            Answer(status=422, code="invalid"), "nothing was wrong", id="a refusal of what is right"
        ),
        pytest.param(
            Answer(status=503, code="gone_fishing"), "503 gone_fishing is not", id="an unknown code"
        ),
        pytest.param(Answer(status=502, code="unavailable"), "502 unavailable is not", id="another status"),
        pytest.param(
            Answer(status=503, code="unavailable"), "Retry-After is documented", id="no Retry-After"
        ),
        pytest.param(
            Answer(status=503, code="outcome_unknown", retry_after=True),
            "Retry-After is not documented",
            id="a Retry-After that invites to double",
        ),
        pytest.param(Answer(status=202), "the status of success is 201", id="another success"),
    ],
)
def test_other_answers_are_found(answer: Answer, evidence: str) -> None:
    found = list(oracle.undocumented([create(answer)], documented()))

    assert kinds(found) == ["an undocumented answer"]
    assert evidence in found[0].evidence


def test_no_answer_and_no_success_are_found() -> None:
    hangs = create(Answer(status=None, detail="ReadTimeout"), UNAVAILABLE, has_key=True)

    assert kinds(oracle.undocumented([hangs], documented())) == [
        "no answer from a process that runs",
        "a request with a key that never succeeded",
    ]


def test_the_documented_answers_are_those_of_the_page() -> None:
    known = documented()

    assert known["unavailable"] >= {Documented("unavailable", 503, is_retried=True)}
    assert known["outcome_unknown"] == {Documented("outcome_unknown", 503, is_retried=False)}
    assert known["request_timeout"] == {Documented("request_timeout", 408, is_retried=False)}
    assert known["internal_error"] == {Documented("internal_error", 500, is_retried=False)}
