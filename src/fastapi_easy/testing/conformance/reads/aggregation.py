"""Cases about `aggregate`."""

import datetime
import decimal
import uuid
from collections.abc import Sequence
from typing import Final

import pytest

from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure
from fastapi_easy.domain.queries.specification import Everything, Not, Operator, Specification, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.sample_data import add_sample_data
from fastapi_easy.testing.conformance.sample_shapes import Colour
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, add_rows, value_of

COUNT: Final = Measure(Function.COUNT)
ALL: Final = (Function.COUNT, Function.SUM, Function.AVERAGE, Function.MINIMUM, Function.MAXIMUM)
RANGE: Final = (Function.COUNT, Function.MINIMUM, Function.MAXIMUM)

NOON: Final = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
UUIDS: Final = [uuid.UUID(int=each) for each in (9 << 120, 1, 15 << 124)]


def dec(value: str | int) -> decimal.Decimal:
    """Return the decimal that *text* spells."""
    return decimal.Decimal(value)


NUMBERS: Final = [
    pytest.param("rank", [3, None, -1, 5], ALL, (3, 7, dec("2.333333"), -1, 5), id="integers"),
    pytest.param("rank", [2, 3], ALL, (2, 5, dec("2.500000"), 2, 3), id="an average between two"),
    pytest.param(
        "rank",
        [2**31 - 1] * 5,
        ALL,
        (5, 5 * (2**31 - 1), dec(2**31 - 1), 2**31 - 1, 2**31 - 1),
        id="a sum beyond 32 bits",
    ),
    pytest.param(
        "views",
        [2**63 - 1, 2**63 - 1, -(2**63), 2**53 + 1],
        ALL,
        (4, 2**63 + 2**53 - 1, (dec(2**63 + 2**53 - 1) / 4).quantize(dec("0.000001")), -(2**63), 2**63 - 1),
        id="a sum beyond 64 bits",
    ),
    pytest.param(
        "price",
        [dec("0.1"), dec("0.2"), None, dec("0.3")],
        ALL,
        (3, dec("0.6"), dec("0.2"), dec("0.1"), dec("0.3")),
        id="decimals",
    ),
    pytest.param(
        "price",
        [dec("0.0001"), dec("0.0002"), dec("0.0002")],
        ALL,
        (3, dec("0.0005"), dec("0.0001666667"), dec("0.0001"), dec("0.0002")),
        id="ten digits of an average",
    ),
    pytest.param(
        "price",
        [dec("99999999999.9999")] * 3,
        ALL,
        (
            3,
            dec("299999999999.9997"),
            dec("99999999999.9999"),
            dec("99999999999.9999"),
            dec("99999999999.9999"),
        ),
        id="a sum with more digits than its field",
    ),
    pytest.param(
        "price",
        [dec("-1.5"), dec("10"), dec("9")],
        ALL,
        (3, dec("17.5"), dec("5.8333333333"), dec("-1.5"), dec(10)),
        id="decimals are no texts",
    ),
    pytest.param("score", [0.5, None, 0.25], ALL, (2, 0.75, 0.375, 0.25, 0.5), id="floats"),
    pytest.param(
        "title", ["b", "B", "é", "a ", "a", "😀", "ﬀ"], RANGE, (7, "B", "😀"), id="texts by code point"
    ),
    pytest.param(
        "due",
        [datetime.date(2024, 10, 1), None, datetime.date(2024, 2, 29)],
        RANGE,
        (2, datetime.date(2024, 2, 29), datetime.date(2024, 10, 1)),
        id="dates",
    ),
    pytest.param(
        "alarm",
        [datetime.time(9, 30), datetime.time(23, 59, 59), datetime.time(0)],
        RANGE,
        (3, datetime.time(0), datetime.time(23, 59, 59)),
        id="times of day",
    ),
    pytest.param(
        "seen_at",
        [NOON, NOON - datetime.timedelta(days=400), NOON + datetime.timedelta(seconds=1)],
        RANGE,
        (3, NOON - datetime.timedelta(days=400), NOON + datetime.timedelta(seconds=1)),
        id="times",
    ),
    pytest.param("token", UUIDS, RANGE, (3, UUIDS[1], UUIDS[2]), id="uuids"),
    pytest.param("done", [True, False, True], (Function.COUNT,), (3,), id="truth values"),
    pytest.param("colour", [Colour.RED, Colour.BLUE], (Function.COUNT,), (2,), id="enumerations"),
    pytest.param("remark", [None, "", "a"], RANGE, (2, "", "a"), id="an empty text is no null"),
]

GROUPS: Final = [
    pytest.param(("rank",), [((1,), 3), ((2,), 1), ((None,), 2)], id="one field, nulls last"),
    pytest.param(
        ("remark",),
        [(("",), 1), (("A",), 1), (("a",), 2), (("a ",), 1), ((None,), 1)],
        id="texts that are alike",
    ),
    pytest.param(("done",), [((False,), 4), ((True,), 2)], id="truth values"),
    pytest.param(
        ("done", "rank"),
        [((False, 1), 1), ((False, 2), 1), ((False, None), 2), ((True, 1), 2)],
        id="two fields",
    ),
    pytest.param(
        ("rank", "done"),
        [((1, False), 1), ((1, True), 2), ((2, False), 1), ((None, False), 2)],
        id="two fields the other way round",
    ),
    pytest.param(
        ("price",), [((dec("1.5"),), 3), ((dec(10),), 2), ((None,), 1)], id="decimals that are equal"
    ),
]
ROWS: Final[Sequence[dict[str, object]]] = [
    {"title": "1", "rank": 1, "remark": "a", "done": True, "price": dec("1.5")},
    {"title": "2", "rank": 1, "remark": "A", "done": True, "price": dec("1.50")},
    {"title": "3", "rank": None, "remark": "a ", "done": False, "price": dec(10)},
    {"title": "4", "rank": 2, "remark": "a", "done": False, "price": dec("1.5000")},
    {"title": "5", "rank": None, "remark": None, "done": False, "price": None},
    {"title": "6", "rank": 1, "remark": "", "done": False, "price": dec("1E+1")},
]


class AggregationCases(Suite):
    """Cases about `aggregate`."""

    @pytest.mark.parametrize(("field", "values", "functions", "expected"), NUMBERS)
    async def test_numbers_are_exact_and_of_the_type_of_their_field(
        self,
        store: Store,
        field: str,
        values: list[object],
        functions: Sequence[Function],
        expected: tuple[object, ...],
    ) -> None:
        await add_rows(store.notes, ({"title": "a", field: value} for value in values))
        measures = tuple(Measure(each, field) for each in functions)

        [group] = await _aggregate(store, Aggregation(measures=measures))

        assert group == Group((), expected)
        assert [type(each) for each in group.totals] == [type(each) for each in expected]

    @pytest.mark.parametrize("field", ["rank", "views", "price", "score"])
    async def test_of_no_values_there_is_nothing_but_their_number(self, store: Store, field: str) -> None:
        measures = (COUNT, *(Measure(each, field) for each in ALL))

        [nobody] = await _aggregate(store, Aggregation(measures=measures))
        await add_rows(store.notes, [{"title": "a"}])
        unknown = await _aggregate(
            store,
            Aggregation(measures=measures, specification=Where("title", Operator.EQUALS, "z")),
        )

        assert nobody == Group((), (0, 0, None, None, None, None))
        assert unknown == [nobody]

    async def test_nulls_are_left_out(self, store: Store) -> None:
        await add_rows(store.notes, [{"title": "a"}, {"title": "b"}])
        measures = (COUNT, *(Measure(each, "rank") for each in ALL))

        assert await _aggregate(store, Aggregation(measures=measures)) == [
            Group((), (2, 0, None, None, None, None))
        ]

    async def test_the_same_number_may_be_asked_for_twice(self, store: Store) -> None:
        await add_rows(store.notes, [{"title": "a", "rank": 4}])
        largest = Measure(Function.MAXIMUM, "rank")

        assert await _aggregate(store, Aggregation(measures=(largest, COUNT, largest, COUNT))) == [
            Group((), (4, 1, 4, 1))
        ]

    @pytest.mark.parametrize(("group_by", "expected"), GROUPS)
    async def test_equal_values_make_a_group_in_their_order(
        self, store: Store, group_by: tuple[str, ...], expected: list[tuple[tuple[object, ...], int]]
    ) -> None:
        await add_rows(store.notes, ROWS)

        groups = await _aggregate(store, Aggregation(measures=(COUNT,), group_by=group_by))

        assert groups == [Group(by, (count,)) for by, count in expected]
        assert [[type(each) for each in group.by] for group in groups] == [
            [type(each) for each in by] for by, _ in expected
        ]

    async def test_without_entities_there_is_no_group(self, store: Store) -> None:
        assert await _aggregate(store, Aggregation(measures=(COUNT,), group_by=("rank",))) == []

    async def test_each_group_has_its_own_numbers(self, store: Store) -> None:
        await add_rows(store.notes, ROWS)
        measures = (
            Measure(Function.SUM, "price"),
            Measure(Function.COUNT, "rank"),
            Measure(Function.AVERAGE, "rank"),
        )

        groups = await _aggregate(store, Aggregation(measures=measures, group_by=("done",)))

        assert groups == [
            Group((False,), (dec("21.5"), 2, dec("1.5"))),
            Group((True,), (dec(3), 2, dec(1))),
        ]

    async def test_members_of_an_enumeration_make_groups(self, store: Store) -> None:
        colours = [Colour.RED, Colour.BLUE, Colour.RED, Colour.GREEN]
        await add_rows(store.notes, ({"title": "a", "colour": each} for each in colours))

        whole = await _aggregate(store, Aggregation(measures=(COUNT,), group_by=("colour",)))
        paged = [
            group
            for offset in range(3)
            for group in await _aggregate(
                store, Aggregation(measures=(COUNT,), group_by=("colour",), limit=1, offset=offset)
            )
        ]

        assert {group.by: group.totals for group in whole} == {
            (Colour.RED,): (2,),
            (Colour.GREEN,): (1,),
            (Colour.BLUE,): (1,),
        }
        assert paged == whole

    @pytest.mark.parametrize(
        ("limit", "offset", "expected"),
        [(1, 0, [1]), (2, 0, [1, 2]), (9, 1, [2, None]), (1, 2, [None]), (5, 3, [])],
    )
    async def test_a_window_is_of_groups(
        self, store: Store, limit: int, offset: int, expected: list[object]
    ) -> None:
        await add_rows(store.notes, ROWS)

        groups = await _aggregate(
            store, Aggregation(measures=(COUNT,), group_by=("rank",), limit=limit, offset=offset)
        )

        assert [group.by[0] for group in groups] == expected

    @pytest.mark.parametrize(
        ("specification", "expected"),
        [
            pytest.param(Where("rank", Operator.EQUALS, 1), [((False,), 1), ((True,), 2)], id="where"),
            pytest.param(Not(Where("rank", Operator.EQUALS, 1)), [((False,), 3)], id="not: nulls among them"),
            pytest.param(Everything(), [((False,), 4), ((True,), 2)], id="everything"),
        ],
    )
    async def test_only_what_is_meant_is_counted(
        self, store: Store, specification: Specification, expected: list[tuple[tuple[object, ...], int]]
    ) -> None:
        await add_rows(store.notes, ROWS)

        groups = await _aggregate(
            store, Aggregation(measures=(COUNT,), group_by=("done",), specification=specification)
        )

        assert groups == [Group(by, (count,)) for by, count in expected]

    async def test_what_leads_to_many_is_counted_once(self, store: Store) -> None:
        _ = await add_sample_data(store)
        reviewed = store.relation("books.reviews").exists()

        groups = value_of(
            await store.books.aggregate(
                Aggregation(
                    measures=(COUNT, Measure(Function.SUM, "price")),
                    group_by=("author_id",),
                    specification=reviewed,
                )
            )
        )

        assert [group.totals for group in groups] == [(2, 30), (1, 10)]

    async def test_inside_a_unit_of_work_its_writes_are_counted(self, store: Store) -> None:
        store.require(Capability.TRANSACTIONS)

        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            _ = await add_one(notes, title="a", rank=2)
            inside = value_of(
                await notes.aggregate(Aggregation(measures=(COUNT, Measure(Function.SUM, "rank"))))
            )
            outside = await _aggregate(store, Aggregation(measures=(COUNT,)))

        assert list(inside) == [Group((), (1, 2))]
        assert outside == [Group((), (0,))]


async def _aggregate(store: Store, aggregation: Aggregation) -> list[Group]:
    return list(value_of(await store.notes.aggregate(aggregation)))
