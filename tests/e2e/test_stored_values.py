"""What others stored on PostgreSQL and MariaDB is shown as it is, found by what is shown, and never lost by a walk."""

import json
from typing import Any

import pytest
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from tests.e2e.serving import client_of
from tests.e2e.stored_columns import BITS, MARIADB, POSTGRES, TRUTHS, StoredColumn
from tests.e2e.stored_tables import foreign_schema, page, run_sql, serving, spelt, walk, with_driver

DRIVERS = ("asyncpg", "psycopg", "asyncmy", "aiomysql")


@pytest.fixture(params=DRIVERS)
def url(request: pytest.FixtureRequest) -> str:
    """A database, with a driver."""
    if request.param in {"asyncpg", "psycopg"}:
        return with_driver(request.getfixturevalue("postgres_url"), request.param)
    return with_driver(request.getfixturevalue("mariadb_url"), request.param)


@pytest.fixture(params=("asyncpg", "psycopg"))
def postgres(request: pytest.FixtureRequest, postgres_url: str) -> str:
    """A database of PostgreSQL, with a driver."""
    return with_driver(postgres_url, request.param)


async def test_every_value_is_shown_found_and_walked_along(url: str) -> None:
    columns = POSTGRES if url.startswith("postgresql") else MARIADB
    rows = max(len(each.written) for each in columns) + 1

    async with serving(url, columns) as client:
        items = await page(client, sort="id", limit=100)
        assert len(items) == rows
        for number, column in enumerate(columns):
            name = f"c{number}"
            place = f"{column.declared!r} over {column.stored}"
            shown = tuple(each[name] for each in items)
            assert shown == (*column.shown, *[None] * (rows - len(column.shown))), place
            for each in items[: len(column.shown)]:
                said = spelt(each[name])
                query = {name: said, f"{name}__gte": said, f"{name}__lte": said}
                found = await page(client, fields="id", **query)
                assert each["id"] in {one["id"] for one in found}, (place, query)
            for sort in (name, f"-{name}"):
                walked = await walk(client, sort, rows)
                assert walked == [
                    each["id"] for each in await page(client, sort=sort, fields="id", limit=100)
                ], (
                    place,
                    sort,
                )
                assert sorted(walked) == list(range(1, rows + 1)), (place, sort)


async def test_one_entity_and_the_exports_show_the_same(url: str) -> None:
    columns = POSTGRES if url.startswith("postgresql") else MARIADB

    async with serving(url, columns) as client:
        items = await page(client, sort="id", limit=100)
        for each in items:
            assert (await client.get(f"/stored/{each['id']}")).json() == each
        lines = (await client.get("/stored/export")).text.splitlines()
        assert [json.loads(line) for line in lines] == items
        assert len((await client.get("/stored/export?as=csv")).text.splitlines()) == len(items) + 1


async def test_what_fits_is_written_as_it_is_shown(url: str) -> None:
    columns = POSTGRES if url.startswith("postgresql") else MARIADB

    async with serving(url, columns) as client:
        taken: list[dict[str, Any]] = []
        for number, column in enumerate(columns):
            for value in column.shown:
                given = {"id": 100 + len(taken), f"c{number}": value}
                answer = await client.post("/stored", json=given)
                assert answer.status_code in {201, 422}, (column, value, answer.text)
                if answer.status_code == 201:
                    taken.append(given)
                    assert {name: answer.json()[name] for name in given} == given, column
        bulk = [{"create": {**each, "id": each["id"] + 1000}} for each in taken]
        answer = await client.post("/stored/bulk", json={"items": bulk})
        assert answer.status_code == 200, answer.text
        lines = (await client.get("/stored/export", params={"id__gte": 100})).text.splitlines()
        stored = {each["id"]: each for each in map(json.loads, lines)}
        for each in taken:
            assert stored[each["id"] + 1000] == {**stored[each["id"]], "id": each["id"] + 1000}
            assert stored[each["id"]] == {**dict.fromkeys(stored[each["id"]]), **each}
        written = {name for each in taken for name in each}
        assert written == {"id", *(f"c{number}" for number in range(len(columns)))}


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_numbers_in_a_column_of_truth_values_are_not_true(mariadb_url: str, driver: str) -> None:
    async with serving(with_driver(mariadb_url, driver), (TRUTHS, BITS)) as client:
        items = await page(client, sort="id")

        assert tuple(each["c0"] for each in items) == (*TRUTHS.shown, None)
        assert tuple(each["c1"] for each in items[:2]) == BITS.shown
        for each in items[:4]:
            assert [one["id"] for one in await page(client, c0=spelt(each["c0"]))] == [each["id"]]
        assert [one["id"] for one in await page(client, c1="false")] == [1]


async def test_the_ends_of_pythons_calendar_are_no_infinity(postgres: str) -> None:
    columns = (POSTGRES[0], POSTGRES[1], POSTGRES[3])
    given = {
        "c0": "9999-12-31",
        "c1": "9999-12-31T23:59:59.999999Z",
        "c2": "0001-01-01T00:00:00Z",
    }

    async with serving(postgres, columns) as client:
        for key, path in ((90, "/stored"), (91, "/stored/bulk")):
            body: Any = {"id": key, **given}
            if path == "/stored/bulk":
                body = {"items": [{"create": body}, {"create": {"id": 92, **given}}]}
            answer = await client.post(path, json=body)
            assert answer.status_code < 300, answer.text
            assert (await client.get(f"/stored/{key}")).json() == {"id": key, **given}
        assert [each["id"] for each in await page(client, c0="9999-12-31", id__gte=90)] == [90, 91, 92]
        assert [each["id"] for each in await page(client, c0="infinity")] == [1]


async def test_a_row_with_such_values_is_changed_and_removed(postgres: str) -> None:
    columns = POSTGRES[:12]

    async with serving(postgres, columns) as client:
        for each in await page(client, sort="id", limit=3):
            etag = (await client.get(f"/stored/{each['id']}")).headers["etag"]
            changed = await client.patch(
                f"/stored/{each['id']}", json={"c5": "2024-01-01T00:00:00Z"}, headers={"If-Match": etag}
            )
            assert changed.status_code == 200, changed.text
            assert changed.json() == {**each, "c5": "2024-01-01T00:00:00Z"}
            assert (await client.delete(f"/stored/{each['id']}")).status_code == 204


async def test_aggregates_show_them_too(postgres: str) -> None:
    columns = (POSTGRES[0], POSTGRES[11], POSTGRES[15])

    async with serving(postgres, columns) as client:
        totals = "min:c0,max:c0,max:c1,sum:c1,avg:c1,sum:c2,avg:c2,min:c2"
        answer = await client.get("/stored/aggregate", params={"total": totals})

        assert answer.status_code == 200, answer.text
        assert answer.json()["items"][0]["totals"] == {
            "min:c0": "-infinity",
            "max:c0": "infinity",
            **dict.fromkeys(("max:c1", "sum:c1", "avg:c1", "sum:c2", "avg:c2"), "NaN"),
            "min:c2": "-Infinity",
        }


class Seen(Model):
    """A table of others, as a model of Tortoise's."""

    id = fields.IntField(primary_key=True)
    day = fields.DateField(null=True)
    moment = fields.DatetimeField(null=True)
    clock = fields.TimeField(null=True)
    length = fields.TimeDeltaField(null=True)
    price = fields.DecimalField(max_digits=10, decimal_places=2, null=True)
    weight = fields.FloatField(null=True)
    is_open = fields.BooleanField(null=True)

    class Meta:
        table = "seen"


SeenInMariaDB: Any = type("SeenInMariaDB", (Seen,), {"Meta": type("Meta", (), {"table": "seen"})})


@pytest.mark.parametrize(
    ("server", "model", "types", "rows"),
    [
        pytest.param(
            "postgres_url",
            Seen,
            "date, timestamptz, timetz, bigint, numeric(10,2), real, boolean",
            {
                "'infinity', '-infinity', '10:00+02', 9223372036854775807, 'NaN', 0.15, true": (
                    *("infinity", "-infinity", "10:00:00+02", "P106751991DT4H54.775807S", "NaN", 0.15, True),
                ),
                "'0044-03-15 BC', '12000-01-01', '24:00', 1000000, 1.5, 'infinity', false": (
                    *(
                        "0044-03-15 BC",
                        "12000-01-01 00:00:00+00",
                        "24:00:00",
                        "PT1S",
                        "1.50",
                        "Infinity",
                        False,
                    ),
                ),
            },
            id="postgres",
        ),
        pytest.param(
            "mariadb_url",
            SeenInMariaDB,
            "date, datetime(6), time(6), bigint, decimal(10,2), float, tinyint",
            {
                "'0000-00-00', '0000-00-00', '24:00:00', 9223372036854775807, 1.5, 0.15, 1": (
                    *(
                        "0000-00-00",
                        "0000-00-00 00:00:00.000000",
                        "24:00:00",
                        "P106751991DT4H54.775807S",
                        "1.50",
                        0.15,
                        True,
                    ),
                ),
                "'2024-02-00', '2024-02-29', '-01:00:00', 1000000, 1, 123456.789, 2": (
                    *("2024-02-00", "2024-02-29T00:00:00Z", "-01:00:00", "PT1S", "1.00", 123456.79, 2),
                ),
            },
            id="mariadb",
        ),
    ],
)
async def test_models_of_tortoise_show_the_same(
    request: pytest.FixtureRequest,
    server: str,
    model: type[Model],
    types: str,
    rows: dict[str, tuple[Any, ...]],
) -> None:
    url: str = request.getfixturevalue(server)
    names = ("day", "moment", "clock", "length", "price", "weight", "is_open")
    described = ", ".join(
        f"{name} {type_}"
        for name, type_ in zip(names, types.replace("(10,2)", "(10;2)").split(", "), strict=True)
    ).replace(";", ",")
    await run_sql(
        with_driver(url, "psycopg" if server == "postgres_url" else "asyncmy"),
        "DROP TABLE IF EXISTS seen",
        f"CREATE TABLE seen (id int PRIMARY KEY, {described})",
        *(f"INSERT INTO seen VALUES ({number}, {written})" for number, written in enumerate(rows)),
    )
    container: Any = type("Shop", (Container,), {"stored": resource(model)})
    async with client_of(create_app(container(settings=foreign_schema(url)))) as client:
        items = await page(client, sort="id")

        assert [tuple(each[name] for name in names) for each in items] == list(rows.values())
        for name in names:
            for each in items:
                found = await page(client, **{name: spelt(each[name])})
                assert [one["id"] for one in found] == [each["id"]], (name, each)
        for sort in ("day", "moment", "clock", "length", "price", "weight"):
            assert sorted(await walk(client, sort, 2)) == [0, 1]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (POSTGRES[0], "12000-02-31"),
        (POSTGRES[0], "9999999-01-01"),
        (POSTGRES[1], "12000-02-30 00:00:00"),
        (POSTGRES[0], "2024-02-31"),
        (POSTGRES[9], "99999999999:00:00"),
    ],
    ids=["no day", "no year", "no day of a time", "in Python's years", "no time"],
)
async def test_a_filter_by_what_is_no_value_either_is_refused(
    postgres: str, column: StoredColumn, text: str
) -> None:
    async with serving(postgres, (column,)) as client:
        assert (await client.get("/stored", params={"c0": text})).status_code == 422
