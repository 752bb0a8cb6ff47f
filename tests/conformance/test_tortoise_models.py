"""What Tortoise's own methods and this adapter are to one another, on each kind of database."""

import asyncio
import contextlib
import datetime

import pytest
import pytest_asyncio
from returns.result import Failure, Success
from tortoise.connection import get_connection
from tortoise.context import get_current_context
from tortoise.exceptions import IntegrityError, TransactionManagementError
from tortoise.transactions import in_transaction

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.ports.unit_of_work import UnitOfWorkMisuse
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.tortoise_hall import hall
from tests.conformance.tortoise_shelves import VALUES, Size, shelves

CALLERS = 50

SLEEP = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3000000) SELECT max(x) FROM n",
    "postgresql": "SELECT pg_sleep(5)",
    "mysql": "SELECT SLEEP(2)",
}


ON_SQLITE = shelves("hall_on_sqlite")
ON_POSTGRES = shelves("hall_on_postgres")
ON_MARIADB = shelves("hall_on_mariadb")


@pytest_asyncio.fixture(scope="module")
async def on_sqlite(tmp_path_factory):
    async with hall(f"sqlite:///{tmp_path_factory.mktemp('hall') / 'hall.db'}", ON_SQLITE) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def on_postgres(postgres_url):
    async with hall(postgres_url, ON_POSTGRES) as made:
        yield made


@pytest_asyncio.fixture(scope="module", params=["aiomysql", "asyncmy"])
async def on_mariadb(mariadb_url, request):
    async with hall(mariadb_url.replace("mysql://", f"mysql+{request.param}://"), ON_MARIADB) as made:
        yield made


class Models:
    """One case for each sentence."""

    @pytest_asyncio.fixture(autouse=True)
    async def _clear(self, there):
        for repository in (there.shelves, there.owners):
            _ = value_of(await repository.remove_where(Everything(), max_affected=100_000))

    async def test_what_is_added_here_is_read_alike_by_tortoise(self, there):
        owner = value_of(await there.owners.add({"name": "o"}))
        row = value_of(await there.shelves.add({**VALUES, "owner_id": owner.id}))

        with there.database.activate():
            found = await there.shelf.get(id=row.id).prefetch_related("owner")

        kept = {name: getattr(found, name) for name in row}
        assert kept.pop("opens") == as_tortoise_reads_times(there, row.opens)
        assert kept.pop("size") == Size(**row["size"])
        assert kept == {name: value for name, value in row.items() if name not in {"opens", "size"}}
        assert found.owner.name == "o"

    async def test_what_tortoise_creates_is_read_alike_here(self, there, bytes_can_be_sent):
        given = {
            **VALUES,
            "opens": VALUES["opens"].replace(tzinfo=datetime.UTC),
            "size": Size(**VALUES["size"]),
        }
        if not bytes_can_be_sent:
            given["plan"] = None
        with there.database.activate():
            owner = await there.owner.create(name="o")
            made = await there.shelf.create(**given, owner=owner)

        row = value_of(await there.shelves.read(made.id))

        expected = {**VALUES, "plan": given["plan"], "owner_id": owner.id, "id": made.id}
        assert {name: row[name] for name in expected} == expected
        assert (row.made_at, row.changed_at) == (made.made_at, made.changed_at)

    @pytest.mark.parametrize(
        "name", [name for name in VALUES if name not in {"load", "plan", "extra", "size", "story"}]
    )
    async def test_tortoise_finds_what_was_added_here_by_its_value(self, there, name):
        row = value_of(await there.shelves.add(VALUES))
        value = row[name].replace(tzinfo=datetime.UTC) if name == "opens" else row[name]

        with there.database.activate():
            found = await there.shelf.filter(**{name: value}).values_list("id", flat=True)

        assert found == [row.id]

    async def test_an_entity_that_was_found_is_saved_by_itself(self, there):
        row = value_of(await there.shelves.add({"name": "a", "size": {"width": 1, "height": 2}}))

        async with there.work() as work:
            entity = value_of(await work.entities("shelves").find_by_id(row.id))
            entity.name = "b"
            await entity.save()
            _ = value_of(await work.commit())

        changed = value_of(await there.shelves.read(row.id))
        assert (changed.name, changed["size"], changed.made_at) == ("b", row["size"], row.made_at)
        assert changed.changed_at > row.changed_at

    async def test_times_are_filled_in_as_tortoise_does(self, there):
        before = datetime.datetime.now(datetime.UTC)

        added = value_of(await there.shelves.add({"name": "a"}))
        changed = value_of(await there.shelves.update(added.id, Patch({"name": "b"})))

        assert (
            before
            <= added.made_at
            <= added.changed_at
            < changed.changed_at
            <= datetime.datetime.now(datetime.UTC)
        )
        assert changed.made_at == added.made_at
        assert value_of(await there.shelves.read(added.id)) == changed

    async def test_times_are_filled_in_for_many_too(self, there):
        first, second = value_of(await there.shelves.add_all([{"name": "a"}, {"name": "b"}]))

        _ = value_of(await there.shelves.update_where(Everything(), Patch({"floor": 1}), max_affected=2))

        changed = value_of(await there.shelves.read(first.id))
        assert changed.changed_at > first.changed_at
        assert (changed.made_at, second.state) == (first.made_at, "new")

    async def test_relations_lead_where_tortoise_leads(self, there):
        owner = value_of(await there.owners.add({"name": "o"}))
        row = value_of(await there.shelves.add({"name": "a", "owner_id": owner.id}))
        with there.database.activate():
            shelf = await there.shelf.get(id=row.id)
            await shelf.friends.add(await there.owner.get(id=owner.id))
        relations = there.resources["owners"].relations

        owned = await there.shelves.select_each(relations["shelves"], [(owner.id,)], Query(fields=("name",)))
        lent = await there.shelves.select_each(relations["lent"], [(owner.id,)], Query(fields=("name",)))

        assert sorted(there.resources["shelves"].relations) == ["friends", "owner"]
        assert (owned, lent) == (Success([[{"name": "a"}]]), Success([[{"name": "a"}]]))

    async def test_models_take_part_in_the_unit_of_work(self, there):
        async with there.work() as work:
            repository = work.repository("shelves")
            mine = await there.shelf.create(name="theirs")
            row = value_of(await repository.add({"name": "ours"}))

            assert value_of(await repository.read(mine.id)).name == "theirs"
            assert (await there.shelf.get(id=row.id)).name == "ours"
            assert await there.names() == []
            _ = value_of(await work.commit())

        assert await there.names() == ["ours", "theirs"]

    async def test_what_models_did_is_rolled_back_with_the_rest(self, there):
        kept = value_of(await there.shelves.add({"name": "kept"}))

        async with there.work() as work:
            _ = await there.shelf.create(name="theirs")
            _ = value_of(await work.repository("shelves").add({"name": "ours"}))
            assert await there.shelf.filter(id=kept.id).update(name="changed") == 1
            assert await there.shelf.filter(name="ours").delete() == 1

        assert await there.names() == ["kept"]

    async def test_a_refused_statement_of_tortoises_leaves_the_rest_of_the_work(self, there):
        async with there.work() as work:
            _ = await there.owner.create(name="taken")
            for _ in range(2):
                with pytest.raises(IntegrityError):
                    await there.owner.create(name="taken")
            refused = await work.repository("owners").add({"name": "taken"})
            _ = await there.owner.create(name="free")
            _ = value_of(await work.commit())

        assert refused == Failure(AlreadyExists("owners", ("name",)))
        assert await there.owners.count(Everything()) == Success(2)

    async def test_a_transaction_inside_of_the_work_is_undone_alone(self, there):
        async with there.work() as work:
            async with in_transaction() as inner:
                _ = await there.shelf.create(name="kept", using_db=inner)
            with contextlib.suppress(KeyError):
                async with in_transaction():
                    _ = await there.shelf.create(name="undone")
                    _ = value_of(await work.repository("shelves").add({"name": "undone too"}))
                    raise KeyError
            _, made = await there.owner.get_or_create(name="o")
            _ = value_of(await work.commit())

        assert made
        assert await there.names() == ["kept"]

    async def test_nobody_but_the_unit_of_work_ends_its_transaction(self, there):
        async with there.work() as work:
            _ = await there.shelf.create(name="a")
            with pytest.raises(TransactionManagementError):
                await get_connection("hall").commit()
            _ = value_of(await work.commit())

        assert await there.names() == ["a"]

    async def test_tasks_within_the_work_take_turns(self, there):
        async with there.work() as work:
            _ = await asyncio.gather(*(there.shelf.create(name=str(number)) for number in range(8)))
            _ = value_of(await work.commit())

        assert await there.names() == [str(number) for number in range(8)]

    @pytest.mark.parametrize("begin", ["unit of work", "in_transaction"])
    async def test_calls_that_outlive_the_transaction_are_refused(self, there, begin):
        late = []
        with there.database.activate(), contextlib.suppress(UnitOfWorkMisuse):
            # Tortoise's own commits at the end of the block, which is refused while a call is running.
            async with there.work() if begin == "unit of work" else in_transaction():
                _ = await there.shelf.create(name="first")
                late = [asyncio.ensure_future(there.shelf.create(name=str(number))) for number in range(5)]
                await asyncio.sleep(0)
        answers = await asyncio.gather(*late, return_exceptions=True)

        assert UnitOfWorkMisuse in {type(each) for each in answers}
        assert there.database.pool.in_use == 0

    async def test_what_a_model_created_beside_a_repository_is_kept_or_was_refused(self, there):
        async with there.work() as work:
            shelves = work.repository("shelves")
            answers = await asyncio.gather(
                shelves.add(VALUES), there.shelf.create(name="b"), shelves.add(VALUES), return_exceptions=True
            )
            _ = value_of(await work.commit())

        written = [each for each in answers if not isinstance(each, UnitOfWorkMisuse)]
        assert {type(each) for each in written} <= {Success, there.shelf}
        assert len(await there.names()) >= len(written) > 0

    async def test_tortoises_own_transactions_work_outside_of_ours(self, there):
        with there.database.activate():
            async with in_transaction():
                _ = await there.shelf.create(name="kept")
            with contextlib.suppress(KeyError):
                async with in_transaction():
                    _ = await there.shelf.create(name="undone")
                    raise KeyError
            await there.shelf.bulk_create([there.shelf(name=str(number)) for number in range(3)])

        assert await there.names() == ["0", "1", "2", "kept"]
        assert there.database.pool.in_use == 0

    async def test_many_tasks_at_once_have_transactions_of_their_own(self, there):
        async def one(number):
            async with there.work() as work:
                _ = await there.shelf.create(name=f"{number} theirs")
                await asyncio.sleep(0)
                _ = value_of(await work.repository("shelves").add({"name": f"{number} ours"}))
                mine = await there.shelf.filter(name__startswith=f"{number} ").count()
                everything = await there.shelf.all().count()
                if number % 2:
                    _ = value_of(await work.commit())
                return mine, everything % 2

        # No more at a time than there are writers who can wait for each other on SQLite.
        turns = asyncio.Semaphore(8)

        async def in_turn(number):
            async with turns:
                return await one(number)

        async with asyncio.timeout(60):
            seen = await asyncio.gather(*(in_turn(number) for number in range(CALLERS)))

        assert seen == [(2, 0)] * CALLERS
        assert await there.shelves.count(Everything()) == Success(CALLERS)
        assert get_current_context() is None
        assert there.database.pool.in_use == 0

    async def test_reads_of_many_tasks_stand_alone(self, there):
        _ = value_of(await there.shelves.add({"name": "a"}))

        async def one():
            with there.database.activate():
                return await there.shelf.all().count()

        async with asyncio.timeout(60):
            assert await asyncio.gather(*(one() for _ in range(CALLERS))) == [1] * CALLERS

        assert there.database.pool.in_use == 0

    @pytest.mark.parametrize("inside", [True, False], ids=["in a unit of work", "alone"])
    async def test_a_statement_given_up_leaves_the_pool_full(self, there, inside):
        slow = SLEEP[there.database.executor.engine.dialect.name.replace("mariadb", "mysql")]

        async def ask():
            if not inside:
                with there.database.activate():
                    _ = await get_connection("hall").execute_query(slow)
                return
            async with there.work():
                _ = await there.shelf.create(name="undone")
                _ = await get_connection("hall").execute_query(slow)

        task = asyncio.ensure_future(ask())
        await asyncio.sleep(0.3)
        assert not task.done()
        _ = task.cancel()
        _ = await asyncio.wait([task], timeout=20)

        assert task.cancelled()
        assert there.database.pool.in_use == 0
        assert await there.names() == []
        _ = value_of(await there.shelves.add({"name": "a"}))


def as_tortoise_reads_times(there, value):
    if there.database.executor.engine.dialect.name in {"mysql", "mariadb"}:
        return datetime.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    return value.replace(tzinfo=datetime.UTC)


@pytest.fixture
def bytes_can_be_sent(there):
    """aiomysql 0.3 cannot send bytes with PyMySQL 1.2; this adapter can, but Tortoise cannot."""
    return there.database.executor.engine.driver != "aiomysql"


class TestOnSqlite(Models):
    @pytest.fixture
    def there(self, on_sqlite):
        return on_sqlite


class TestOnPostgres(Models):
    @pytest.fixture
    def there(self, on_postgres):
        return on_postgres


class TestOnMariaDB(Models):
    @pytest.fixture
    def there(self, on_mariadb):
        return on_mariadb
