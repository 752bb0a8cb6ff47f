"""Repositories that narrow others: what they pass on. What comes of it is a case of the conformance suites."""

import datetime
import inspect

import pytest
from returns.result import Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AllOf, Everything, Operator, Where
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.scoped_repository import ScopedRepository, SoftDeletingRepository, deleted_entities
from fastapi_easy.testing import FailingRepository, resource_from

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
MINE = Where("owner", Operator.EQUALS, "me")
BIG = Where("size", Operator.GREATER, 3)
BOTH = AllOf((BIG, MINE))
SHAPE = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="gone", kind=Kind.DATETIME, nullable=True),
    ),
    key=("id",),
)
ALIVE = Where("gone", Operator.IS_NULL, True)


class Recorder:
    """Takes any call of a repository, and remembers it."""

    def __init__(self, place="outside"):
        self.place = place
        self.calls = []

    def in_transaction(self, connection):
        return Recorder(connection)

    def __getattr__(self, name):
        def call(*arguments, **options):
            self.calls.append((name, arguments, options))
            return iter(()) if name in NOT_AWAITED else self._answer()

        return call

    async def _answer(self):
        return Success("answer")


QUERY, NARROWED = Query(specification=BIG, fields=("id",)), Query(specification=BOTH, fields=("id",))
SCOPE = {"scope": BOTH}
COUNTED = (Measure(Function.COUNT),)
CALLS = [
    ("read", (1, ("id",)), {"scope": BIG}, (1, ("id",)), SCOPE),
    ("select", (QUERY,), {}, (NARROWED,), {}),
    ("select_each", ("relation", [(1,)], QUERY), {}, ("relation", [(1,)], NARROWED), {}),
    (
        "aggregate",
        (Aggregation(measures=COUNTED, specification=BIG, limit=3),),
        {},
        (Aggregation(measures=COUNTED, specification=BOTH, limit=3),),
        {},
    ),
    ("stream", (QUERY,), {"chunk": 3}, (NARROWED,), {"chunk": 3}),
    ("count", (BIG,), {}, (BOTH,), {}),
    ("add", ({"a": 1},), {}, ({"a": 1},), {}),
    ("add_all", ([{"a": 1}],), {}, ([{"a": 1}],), {}),
    ("add_stored", ([{"a": 1}],), {}, ([{"a": 1}],), {}),
    (
        "update",
        (1, Patch({})),
        {"expected_version": "1", "scope": BIG},
        (1, Patch({})),
        {"expected_version": "1", **SCOPE},
    ),
    ("remove", (1,), {"expected_version": "1", "scope": BIG}, (1,), {"expected_version": "1", **SCOPE}),
    ("update_where", (BIG, Patch({})), {"max_affected": 3}, (BOTH, Patch({})), {"max_affected": 3}),
    ("remove_where", (BIG,), {"max_affected": 3}, (BOTH,), {"max_affected": 3}),
    ("entity_from", ("row",), {}, ("row",), {}),
    ("values_of", ("entity",), {}, ("entity",), {}),
]
NOT_AWAITED = {"stream", "entity_from", "values_of"}


def test_every_method_of_the_port_has_a_row_in_the_table():
    methods = {name for name, _ in inspect.getmembers(Repository, inspect.isfunction) if name[0] != "_"}

    assert {name for name, *_ in CALLS} == methods


@pytest.mark.parametrize(
    ("name", "arguments", "options", "passed", "passed_options"),
    [pytest.param(*each, id=each[0]) for each in CALLS],
)
async def test_each_call_is_passed_on_narrowed(name, arguments, options, passed, passed_options):
    inner = Recorder()

    answer = getattr(ScopedRepository(inner, MINE), name)(*arguments, **options)

    assert name in NOT_AWAITED or await answer == Success("answer")
    assert [(called, list(given), named) for called, given, named in inner.calls] == [
        (name, list(passed), passed_options)
    ]


async def test_within_a_unit_of_work_it_is_as_narrow():
    inside = ScopedRepository(Recorder(), MINE).in_transaction("inside")

    _ = await inside.count(Everything())

    assert (inside._inner.place, inside._inner.calls) == ("inside", [("count", (MINE,), {})])


async def test_a_stand_in_that_knows_no_transactions_is_taken_as_it_is():
    class Simple:
        async def count(self, specification):
            return Success(specification)

    assert await ScopedRepository(Simple(), MINE).in_transaction("inside").count(Everything()) == Success(
        MINE
    )


def soft(inner):
    return SoftDeletingRepository(
        inner, resource_from(SHAPE, "things", dict, soft_delete="gone"), lambda: NOON
    )


async def test_removing_marks():
    inner = Recorder()

    one = await soft(inner).remove(1, expected_version="v", scope=BIG)
    many = await soft(inner).remove_where(BIG, max_affected=3)

    assert (one, many) == (Success(None), Success("answer"))
    assert [(name, dict(arguments[1]), options) for name, arguments, options in inner.calls] == [
        ("update", {"gone": NOON}, {"expected_version": "v", "scope": AllOf((BIG, ALIVE))}),
        ("update_where", {"gone": NOON}, {"max_affected": 3}),
    ]
    assert inner.calls[1][1][0] == AllOf((BIG, ALIVE))


async def test_the_deleted_ones_are_all_that_is_in_their_repository():
    inner = Recorder()
    gone = Where("gone", Operator.IS_NULL, False)

    _ = await deleted_entities(soft(inner)).remove(1)
    _ = await deleted_entities(soft(inner).in_transaction("inside")).count(Everything())

    assert inner.calls == [("remove", (1,), {"expected_version": None, "scope": gone})]


def test_a_stand_in_that_knows_nothing_of_deletion_is_taken_as_it_is():
    inner = FailingRepository()

    assert deleted_entities(inner) is inner


@pytest.mark.parametrize("made", [ScopedRepository(Recorder(), MINE), soft(Recorder())])
def test_is_a_repository(made):
    assert isinstance(made, Repository)
