"""Several databases of the same models of Tortoise's, and small ones."""

import uuid

import pytest
from returns.result import Failure, Success
from tortoise.exceptions import DBConnectionError

from fastapi_easy.domain.errors import DeclarationError, Unavailable
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.infrastructure.persistence.tortoise import TortoiseDatabase
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.tortoise_hall import hall
from tests.conformance.tortoise_shelves import shelves


async def test_two_databases_keep_the_same_models_apart(tmp_path):
    models = shelves("in_two_places")
    async with (
        hall(f"sqlite:///{tmp_path / 'first.db'}", models) as first,
        hall(f"sqlite:///{tmp_path / 'second.db'}", models) as second,
    ):
        with first.database.activate():
            _ = await first.shelf.create(name="first")
            with second.database.activate():
                _ = await first.shelf.create(name="second")
            _ = await first.shelf.create(name="first again")

        async with first.work() as one, second.work() as other:
            _ = value_of(await one.repository("shelves").add({"name": "a"}))
            _ = await first.shelf.create(name="b")
            _ = value_of(await other.commit())

        assert await first.names() == ["first", "first again"]
        assert await second.names() == ["b", "second"]


async def test_a_model_is_kept_in_one_kind_of_database_at_a_time(tmp_path):
    models = shelves("in_two_kinds")
    elsewhere = TortoiseDatabase("elsewhere", "postgresql://host/name", None, models.values())
    async with hall(f"sqlite:///{tmp_path / 'here.db'}", models):
        with pytest.raises(DeclarationError) as refused:
            await elsewhere.open()

    assert sorted(each.partition(" is already stored in")[0] for each in refused.value.mistakes) == [
        "Owner",
        "Shelf",
    ]
    assert "declare another class for 'elsewhere' (PostgreSQL)" in refused.value.mistakes[0]
    await elsewhere.open()
    await elsewhere.close()


async def test_who_waits_too_long_for_a_connection_is_told(tmp_path):
    models = shelves("in_a_small_hall")
    async with hall(f"sqlite:///{tmp_path / 'small.db'}", models, pool_size=1, pool_timeout=0.1) as there:
        _ = value_of(await there.shelves.add({"name": "a"}))

        async with there.database.executor.lend_connection():
            waited = await there.shelves.count(Everything())
            with there.database.activate(), pytest.raises(DBConnectionError):
                await there.shelf.all().count()

        assert waited == Failure(Unavailable("hall"))
        assert await there.shelves.count(Where("name", Operator.EQUALS, "a")) == Success(1)


async def test_a_unit_of_work_that_only_models_use_begins_and_ends_too(tmp_path):
    models = shelves("used_by_models_only")
    async with hall(f"sqlite:///{tmp_path / 'models.db'}", models) as there:
        async with there.work():
            _ = await there.owner.create(id=uuid.uuid4(), name="undone")
        async with there.work() as work:
            _ = await there.owner.create(name="kept")
            assert await work.commit() == Success(None)

        assert await there.owners.count(Everything()) == Success(1)
        assert there.database.pool.in_use == 0
