"""Cases about order and pagination."""

import datetime
import decimal
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Not, Operator, Specification, Where
from fastapi_easy.testing.conformance.sample_data import add_sample_data
from fastapi_easy.testing.conformance.sample_shapes import Colour
from fastapi_easy.testing.conformance.store import Store, Suite, add_rows, add_titles, titles, value_of

DESCENDING: Final = Direction.DESCENDING
NOON: Final = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)

BY_CODE_POINT: Final = [
    "",
    " ",
    "!",
    "10",
    "9",
    "A",
    "Z",
    "a",
    "a ",
    "aa",
    "b",
    "É",
    "é",
    "ж",
    "ﬀ",
    "😀",
    "😁",
]
"""In the order they have to come back in. The last ligature comes after emoji where UTF-16 is compared."""

ORDERED_VALUES: Final[Mapping[str, Sequence[object]]] = {
    "body": BY_CODE_POINT,
    "rank": [-3, 0, 2, 10],
    "views": [-(2**63), -1, 0, 2**31, 2**63 - 1],
    "price": [decimal.Decimal(each) for each in ("-1.5", "0.0001", "9.5", "10.25", "99999999999.9999")],
    "score": [-1e300, -0.5, 0.1, 1 / 3, 2.0, 1e300],
    "due": [datetime.date(1970, 1, 1), datetime.date(2024, 2, 29), datetime.date(2024, 10, 1)],
    "alarm": [datetime.time(0), datetime.time(9, 30), datetime.time(10), datetime.time(23, 59, 59)],
    "seen_at": [NOON - datetime.timedelta(days=1), NOON, NOON + datetime.timedelta(seconds=1)],
    "token": [
        uuid.UUID("00000000-0000-0000-0000-000000000001"),
        uuid.UUID("11111111-0000-1000-8000-000000000009"),
        uuid.UUID("11111111-0000-2000-8000-000000000001"),
        uuid.UUID("22222222-0000-1000-8000-000000000000"),
        uuid.UUID("ffffffff-0000-4000-8000-000000000000"),
    ],
    "colour": list(Colour),
}

RANDOM_WALKS: Final = 30

NULLABLE: Final = ("rank", "price", "score", "due", "alarm", "seen_at", "remark")

TIES: Final[Sequence[Mapping[str, Any]]] = [
    {"title": "a", "rank": 1, "remark": "x", "price": decimal.Decimal(3)},
    {"title": "b", "rank": 1, "remark": None, "price": None},
    {"title": "c", "rank": None, "remark": "x", "price": decimal.Decimal(1)},
    {"title": "d", "rank": None, "remark": None, "price": None},
    {"title": "e", "rank": 2, "remark": "x", "price": decimal.Decimal(2)},
    {"title": "f", "rank": 1, "remark": "y", "price": decimal.Decimal(3)},
    {"title": "g", "rank": None, "remark": "y", "price": None},
    {"title": "h", "rank": 1, "remark": "x", "price": decimal.Decimal(2)},
]

ORDERS: Final = [
    pytest.param((), "abcdefgh", id="by key"),
    pytest.param((Sort("id", DESCENDING),), "hgfedcba", id="by key, down"),
    pytest.param((Sort("title", DESCENDING),), "hgfedcba", id="no ties, down"),
    pytest.param((Sort("priority"),), "abcdefgh", id="nothing but ties"),
    pytest.param(
        (Sort("priority", DESCENDING),), "abcdefgh", id="nothing but ties, down: the key still goes up"
    ),
    pytest.param((Sort("rank"),), "abfhecdg", id="ties and nulls"),
    pytest.param((Sort("rank", DESCENDING),), "eabfhcdg", id="ties and nulls, down: nulls stay last"),
    pytest.param((Sort("rank"), Sort("id", DESCENDING)), "hfbaegdc", id="up, key down"),
    pytest.param((Sort("rank"), Sort("remark")), "ahfbecgd", id="up, up"),
    pytest.param((Sort("rank", DESCENDING), Sort("remark")), "eahfbcgd", id="down, up"),
    pytest.param((Sort("rank"), Sort("remark", DESCENDING)), "fahbegcd", id="up, down"),
    pytest.param((Sort("rank", DESCENDING), Sort("remark", DESCENDING)), "efahbgcd", id="down, down"),
    pytest.param(
        (Sort("price", DESCENDING), Sort("remark"), Sort("rank", DESCENDING)), "afehcgbd", id="three terms"
    ),
    pytest.param(
        (Sort("remark"), Sort("price"), Sort("id", DESCENDING)), "cheafgdb", id="three terms, key down"
    ),
]


class PaginationCases(Suite):
    """Cases about order, and about pagination that returns each row once."""

    @pytest.mark.parametrize("field", ORDERED_VALUES)
    async def test_each_kind_has_one_order_on_every_store(self, store: Store, field: str) -> None:
        values = ORDERED_VALUES[field]
        shuffled = [*values[1::2], *values[::2]]
        await add_rows(store.notes, ({"title": "a", field: value} for value in shuffled))

        up = value_of(await store.notes.select(Query(order=(Sort(field),), page=PageRequest(limit=100))))
        down = value_of(
            await store.notes.select(Query(order=(Sort(field, DESCENDING),), page=PageRequest(limit=100)))
        )

        assert [row[field] for row in up.items] == values
        assert [row[field] for row in down.items] == values[::-1]

    @pytest.mark.parametrize("direction", Direction)
    @pytest.mark.parametrize("field", NULLABLE)
    async def test_nulls_come_last_in_both_directions(
        self, store: Store, field: str, direction: Direction
    ) -> None:
        value = "x" if field == "remark" else ORDERED_VALUES[field][0]
        await add_rows(store.notes, [{"title": "null"}, {"title": "value", field: value}, {"title": "null"}])

        page = value_of(await store.notes.select(Query(order=(Sort(field, direction),))))

        assert titles(page.items) == ["value", "null", "null"]

    @pytest.mark.parametrize(("order", "expected"), ORDERS)
    async def test_rows_come_in_one_total_order(
        self, store: Store, order: tuple[Sort, ...], expected: str
    ) -> None:
        await add_rows(store.notes, TIES)

        page = value_of(await store.notes.select(Query(order=order)))

        assert "".join(titles(page.items)) == expected

    @pytest.mark.parametrize("limit", [1, 3])
    @pytest.mark.parametrize(("order", "expected"), ORDERS)
    async def test_a_walk_shows_every_row_once(
        self, store: Store, order: tuple[Sort, ...], expected: str, limit: int
    ) -> None:
        await add_rows(store.notes, TIES)

        assert "".join(titles(await _walk(store, order, limit))) == expected

    @pytest.mark.parametrize(("order", "expected"), ORDERS)
    async def test_a_walk_is_not_disturbed_by_rows_inserted_meanwhile(
        self, store: Store, order: tuple[Sort, ...], expected: str
    ) -> None:
        await add_rows(store.notes, TIES)
        # After each page a twin of a row is inserted: some behind the cursor, some ahead of it, many of them ties.
        twins = [{**each, "title": each["title"].upper()} for each in TIES]

        walked: list[Row] = []
        query = Query(order=order, page=PageRequest(limit=2))
        page = value_of(await store.notes.select(query))
        for twin in twins:
            walked.extend(page.items)
            if page.next is None:
                break
            await add_rows(store.notes, [twin])
            page = value_of(
                await store.notes.select(Query(order=order, page=PageRequest(limit=2, after=page.next)))
            )

        while page.next is not None:
            page = value_of(
                await store.notes.select(Query(order=order, page=PageRequest(limit=2, after=page.next)))
            )
            walked.extend(page.items)
        assert "".join(each for each in titles(walked) if each.islower()) == expected
        assert len({row.id for row in walked}) == len(walked)

    async def test_a_walk_is_not_disturbed_by_rows_removed_behind_it(self, store: Store) -> None:
        await add_titles(store, "abcdef")
        first = value_of(await store.notes.select(Query(page=PageRequest(limit=2))))

        for row in first.items:
            _ = value_of(await store.notes.remove(row.id))
        second = value_of(await store.notes.select(Query(page=PageRequest(limit=2, after=first.next))))

        assert titles(second.items) == ["c", "d"]

    @pytest.mark.parametrize(
        ("specification", "expected"),
        [
            pytest.param(Where("remark", Operator.EQUALS, "x"), "eahc", id="where"),
            pytest.param(Not(Where("remark", Operator.EQUALS, "x")), "bfdg", id="not"),
        ],
    )
    async def test_a_walk_stays_within_what_is_meant(
        self, store: Store, specification: Specification, expected: str
    ) -> None:
        await add_rows(store.notes, TIES)

        walked = await _walk(store, (Sort("rank", DESCENDING),), 1, specification=specification)

        assert "".join(titles(walked)) == expected

    async def test_a_walk_needs_none_of_the_fields_it_shows(self, store: Store) -> None:
        await add_rows(store.notes, TIES)

        walked = await _walk(store, (Sort("rank", DESCENDING), Sort("remark")), 3, fields=("title",))

        assert walked == [{"title": each} for each in "eahfbcgd"]

    @pytest.mark.parametrize("field", ORDERED_VALUES)
    async def test_a_walk_goes_along_every_kind(self, store: Store, field: str) -> None:
        values = ORDERED_VALUES[field]
        await add_rows(store.notes, ({"title": "a", field: value} for value in (*values, *values)))

        up = await _walk(store, (Sort(field),), 1)
        down = await _walk(store, (Sort(field, DESCENDING),), 1)

        assert [row[field] for row in up] == [value for value in values for _ in range(2)]
        assert [row[field] for row in down] == [value for value in values[::-1] for _ in range(2)]

    async def test_a_walk_goes_along_a_key_of_two_fields(self, store: Store) -> None:
        await add_rows(
            store.seats, ({"hall": hall, "number": number} for number in (2, 1, 10) for hall in "ba")
        )

        walked: list[Row] = []
        page = value_of(await store.seats.select(Query(page=PageRequest(limit=4))))
        walked.extend(page.items)
        page = value_of(await store.seats.select(Query(page=PageRequest(limit=4, after=page.next))))
        walked.extend(page.items)

        assert [(row.hall, row.number) for row in walked] == [(h, n) for h in "ab" for n in (1, 2, 10)]
        assert page.next is None

    async def test_a_walk_gives_instances_too(self, store: Store) -> None:
        await add_titles(store, "abc")

        first = value_of(await store.entities("notes").find_all(Query(page=PageRequest(limit=2))))
        second = value_of(
            await store.entities("notes").find_all(Query(page=PageRequest(limit=2, after=first.next)))
        )

        assert (titles(first.items), titles(second.items)) == (["a", "b"], ["c"])

    @pytest.mark.parametrize("seed", range(RANDOM_WALKS))
    async def test_a_random_walk_loses_and_repeats_nothing_whatever_happens_meanwhile(
        self, store: Store, seed: int
    ) -> None:
        chance = random.Random(seed)  # noqa: S311
        authors = [row.id for row in (await add_sample_data(store)).authors.values()]
        await add_rows(store.books, (_any_book(chance, authors) for _ in range(chance.randrange(20))))
        order, limit = _any_order(chance, store), chance.randint(1, 6)
        whole = Query(order=order, page=PageRequest(limit=100))
        expected = [row.id for row in value_of(await store.books.select(whole)).items]

        walked: list[int] = []
        request: PageRequest | None = PageRequest(limit=limit)
        while request is not None:
            page = value_of(await store.books.select(Query(order=order, page=request, fields=("id",))))
            walked.extend(row.id for row in page.items)
            assert len(walked) < 1000, "the walk does not end"
            if len(walked) < 100:
                # Insert rows ahead of the cursor and behind it, often with the values of other rows.
                await add_rows(store.books, (_any_book(chance, authors) for _ in range(chance.randrange(3))))
            if chance.random() < 0.3:
                _ = await store.books.remove(walked[chance.randrange(len(walked))])
            request = None if page.next is None else PageRequest(limit=limit, after=page.next)

        assert [each for each in walked if each in set(expected)] == expected
        assert len(set(walked)) == len(walked)


def _any_book(chance: random.Random, authors: Sequence[int]) -> dict[str, object]:
    return {
        "title": chance.choice("abAé"),
        "price": chance.choice([None, decimal.Decimal("9.5"), decimal.Decimal(10)]),
        "pages": chance.choice([None, 1, 2]),
        "author_id": chance.choice([None, *authors]),
    }


def _any_order(chance: random.Random, store: Store) -> tuple[Sort, ...]:
    author, mentor = store.relation("books.author"), store.relation("authors.mentor")
    places = [
        ("title", ()),
        ("price", ()),
        ("pages", ()),
        ("id", ()),
        ("country", (author,)),
        ("born", (author, mentor)),
    ]
    return tuple(
        Sort(field, chance.choice(list(Direction)), path)
        for field, path in chance.sample(places, chance.randint(1, 3))
    )


async def _walk(
    store: Store,
    order: tuple[Sort, ...],
    limit: int,
    *,
    specification: Specification | None = None,
    fields: tuple[str, ...] | None = None,
) -> list[Row]:
    walked: list[Row] = []
    request: PageRequest | None = PageRequest(limit=limit)
    while request is not None:
        query = Query(specification=specification or Everything(), order=order, page=request, fields=fields)
        page = value_of(await store.notes.select(query))
        assert len(walked) < 100, "the walk does not end"
        walked.extend(page.items)
        request = None if page.next is None else PageRequest(limit=limit, after=page.next)
    return walked
