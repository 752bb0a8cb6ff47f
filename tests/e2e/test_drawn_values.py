"""Any values that others write on PostgreSQL and MariaDB: none is an error, a walk loses none, all are found again."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastapi_easy.infrastructure.relational import postgres_times as times
from tests.e2e.stored_columns import StoredColumn
from tests.e2e.stored_tables import page, serving, spelt, walk, with_driver

DAYS = st.one_of(
    st.integers(-2_451_545, 2_145_031_948),
    st.integers(-730_200, -730_000),
    st.integers(2_921_800, 2_922_100),
    st.sampled_from([2**31 - 1, -(2**31)]),
).map(times.date_text)
MOMENTS = st.one_of(
    st.integers(-211_813_488_000_000_000, 9_223_371_331_199_999_999),
    st.integers(-63_082_281_600_000_000 - 10**9, -63_082_281_600_000_000 + 10**9),
    st.sampled_from([2**63 - 1, -(2**63)]),
).map(lambda number: times.timestamp_text(number, "+00"))
OFFSETS = st.integers(-57_599, 57_599) | st.sampled_from([0, -7200])
CLOCKS = st.builds(
    lambda clock, west: times.clock_text(clock) + times.offset_text(west),
    st.integers(0, 86_400_000_000),
    OFFSETS,
)
DURATIONS = st.builds(
    times.interval_text,
    st.integers(-2_000_000, 2_000_000) | st.integers(-13, 13),
    st.integers(-2_000_000_000, 2_000_000_000) | st.integers(-400, 400),
    st.integers(-(10**17), 10**17),
)
NUMBERS = st.one_of(
    st.sampled_from(["NaN", "Infinity", "-Infinity", "0", "-0.0"]),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=12).map(
        str
    ),
)
FLOATS = st.sampled_from(["NaN", "Infinity", "-Infinity"]) | st.floats(
    allow_nan=False, allow_infinity=False
).map(repr)
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
TEXTS = st.text("aZé ", max_size=5)

POSTGRES: tuple[tuple[Any, str, st.SearchStrategy[str]], ...] = (
    (sa.Date(), "date", DAYS),
    (sa.DateTime(timezone=True), "timestamptz", MOMENTS),
    (sa.Time(timezone=True), "timetz", CLOCKS),
    (sa.Interval(), "interval", DURATIONS),
    (sa.Numeric(), "numeric", NUMBERS),
    (sa.Float(), "double precision", FLOATS),
    (sa.Float(), "real", st.sampled_from(["NaN", "-Infinity"]) | SINGLES.map(repr)),
    (sa.Numeric(), "real", SINGLES.map(repr)),
    (sa.String(), "char(5)", TEXTS),
)
PARTS = st.tuples(st.integers(0, 9999), st.integers(0, 12), st.integers(0, 28))
MARIADB: tuple[tuple[Any, str, st.SearchStrategy[str]], ...] = (
    (sa.Date(), "date", PARTS.map(lambda parts: "{:04d}-{:02d}-{:02d}".format(*parts))),
    (
        sa.DateTime(),
        "datetime(6)",
        st.builds(
            lambda parts, clock: "{:04d}-{:02d}-{:02d} ".format(*parts) + times.clock_text(clock),
            PARTS,
            st.integers(0, 86_399_999_999),
        ),
    ),
    (
        sa.Time(),
        "time(6)",
        st.builds(
            lambda sign, clock: sign + times.clock_text(clock),
            st.sampled_from(["", "-"]),
            st.integers(0, 3 * 10**12),
        ),
    ),
    (sa.Float(), "float", SINGLES.map(repr)),
    (sa.Float(), "double", st.floats(allow_nan=False, allow_infinity=False).map(repr)),
    (sa.Boolean(), "tinyint", st.integers(-128, 127).map(str)),
    (sa.String(5), "varchar(5)", TEXTS),
)


def _columns(
    kinds: Sequence[tuple[Any, str, Any]], rows: Sequence[Sequence[str | None]]
) -> list[StoredColumn]:
    return [
        StoredColumn(
            declared,
            stored,
            tuple("NULL" if row[number] is None else f"'{row[number]}'" for row in rows),
            (),
        )
        for number, (declared, stored, _) in enumerate(kinds)
    ]


async def _check(
    url: str, kinds: Sequence[tuple[Any, str, Any]], rows: Sequence[Sequence[str | None]]
) -> None:
    async with serving(url, _columns(kinds, rows)) as client:
        items = await page(client, sort="id", limit=100)
        keys = [each["id"] for each in items]
        assert keys == list(range(1, len(rows) + 2))
        for number, (declared, stored, _) in enumerate(kinds):
            name = f"c{number}"
            for each, row in zip(items, rows, strict=False):
                assert (each[name] is None) == (row[number] is None), (stored, row[number])
                if each[name] is not None:
                    found = await page(client, fields="id", **{name: spelt(each[name])})
                    assert each["id"] in {one["id"] for one in found}, (stored, row[number], each[name])
            if not isinstance(declared, sa.Boolean):
                for sort in (name, f"-{name}"):
                    walked = await walk(client, sort, len(keys))
                    assert sorted(walked) == keys, (stored, sort)
        lines = (await client.get("/stored/export")).text.splitlines()
        assert [json.loads(line) for line in lines] == items


def _rows(
    kinds: Sequence[tuple[Any, str, st.SearchStrategy[str]]],
) -> st.SearchStrategy[list[tuple[str | None, ...]]]:
    return st.lists(st.tuples(*(st.none() | values for _, _, values in kinds)), min_size=5, max_size=5)


FEW = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_whatever_postgres_holds(postgres_url: str, driver: str) -> None:
    @FEW
    @given(_rows(POSTGRES))
    def check(rows: list[tuple[str | None, ...]]) -> None:
        asyncio.run(_check(with_driver(postgres_url, driver), POSTGRES, rows))

    check()


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
def test_whatever_mariadb_holds(mariadb_url: str, driver: str) -> None:
    @FEW
    @given(_rows(MARIADB))
    def check(rows: list[tuple[str | None, ...]]) -> None:
        asyncio.run(_check(with_driver(mariadb_url, driver), MARIADB, rows))

    check()
