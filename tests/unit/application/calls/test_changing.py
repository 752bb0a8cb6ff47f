"""What the methods that change something promise: fields as keywords or as one mapping."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application import Create, Delete, Kernel, Update
from fastapi_easy.domain import (
    AlreadyExists,
    NotFound,
    Patch,
    Row,
    Stale,
)
from fastapi_easy.testing import in_memory
from tests.unit.application.calls.market import Market, add_sample_data


async def test_creates_from_keywords_or_one_mapping() -> None:
    kernel: Kernel = in_memory(Market).kernel()

    by_keywords = await kernel.stalls.create(name="Fruit", city="York")
    by_mapping = await kernel.stalls.create({"name": "Bread"})

    assert by_keywords == Success(Row(id=1, name="Fruit", city="York"))
    assert by_mapping == Success(Row(id=2, name="Bread", city=None))


@pytest.mark.parametrize("method", ["create", "upsert"])
async def test_fields_are_given_in_one_way_only(method: str) -> None:
    kernel: Kernel = in_memory(Market).kernel()

    with pytest.raises(TypeError, match="one mapping or as keywords, not both"):
        await getattr(kernel.stalls, method)({"name": "Bread"}, city="York")


async def test_updates_some_fields_and_leaves_the_others() -> None:
    kernel = await add_sample_data()

    by_keywords = await kernel.goods.update(1, price=Decimal("0.60"))
    by_mapping = await kernel.goods.update(1, {"stall_id": None})

    assert by_keywords.unwrap().price == Decimal("0.60")
    assert (by_mapping.unwrap().price, by_mapping.unwrap().stall_id) == (Decimal("0.60"), None)


async def test_replaces_every_field() -> None:
    kernel = await add_sample_data()

    replaced = await kernel.goods.replace(1, code="apple", title="Apple", price=Decimal(1))

    assert (replaced.unwrap().price, replaced.unwrap().stall_id) == (Decimal(1), None)


async def test_changes_nothing_that_has_changed_meanwhile() -> None:
    kernel = await add_sample_data()
    read = (await kernel.goods.get(1)).unwrap()
    changed = (await kernel.goods.update(1, price=Decimal(1), expected_version=read.version)).unwrap()

    stale = Failure(Stale("goods", 1, "2"))
    assert await kernel.goods.update(1, price=Decimal(2), expected_version=read.version) == stale
    whole = {"code": "apple", "title": "Apple", "price": Decimal(2)}
    assert await kernel.goods.replace(1, whole, expected_version=1) == stale
    assert await kernel.goods.delete(1, expected_version=kernel.goods.version_of(read)) == stale
    assert await kernel.goods.delete(1, expected_version=kernel.goods.version_of(changed)) == Success(None)


async def test_a_field_called_like_an_option_needs_a_mapping() -> None:
    kernel: Kernel = in_memory(Market).kernel()
    order = (await kernel.orders.create(expected_version="in a create it is a field")).unwrap()

    with pytest.raises(TypeError, match="there is a field of that name"):
        await kernel.orders.update(order.id, expected_version="option or field?")
    with pytest.raises(TypeError, match="there is a field of that name"):
        await kernel.orders.replace(order.id, note="x", expected_version="option or field?")
    version = kernel.orders.version_of(order)
    changed = await kernel.orders.update(order.id, {"expected_version": "field"}, expected_version=version)

    assert changed.unwrap().expected_version == "field"


async def test_deletes_restores_and_purges() -> None:
    kernel = await add_sample_data()

    assert await kernel.goods.delete(1) == Success(None)
    assert await kernel.goods.get(1) == Failure(NotFound("goods", 1))
    assert (await kernel.goods.restore(1)).unwrap().code == "apple"
    assert await kernel.goods.purge(1) == Failure(NotFound("goods", 1))
    assert await kernel.goods.delete(1) == Success(None)
    assert await kernel.goods.purge(1) == Success(None)
    assert isinstance(await kernel.goods.restore(1), Failure)


async def test_upserts_by_the_unique_fields() -> None:
    kernel = await add_sample_data()

    changed = (await kernel.goods.upsert(code="apple", title="Apple", price=Decimal(1))).unwrap()
    made = (await kernel.goods.upsert({"code": "fig", "title": "Fig", "price": Decimal(2)})).unwrap()

    assert (changed.created, changed.row.id, changed.row.price) == (False, 1, Decimal(1))
    assert (made.created, made.row.code) == (True, "fig")


async def test_makes_many_changes() -> None:
    kernel = await add_sample_data()
    twice = Create({"code": "apple", "title": "Apple", "price": Decimal(1)})

    undone = (await kernel.goods.bulk([Delete(2), twice])).unwrap()
    done = (await kernel.goods.bulk([Update(1, Patch({"title": "Pear"})), twice], atomic=False)).unwrap()

    assert (undone.applied, undone.outcomes) == (
        False,
        [None, Failure(AlreadyExists("goods", ("code",)))],
    )
    assert [isinstance(each, Success) for each in done.outcomes] == [True, False]
    assert (await kernel.goods.count()).unwrap() == 4


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_imports_any_number_of_lines(*, asynchronous: bool) -> None:
    kernel = await add_sample_data()
    lines = [{"code": code, "title": "x", "price": Decimal(1)} for code in ("fig", "apple", "grape")]

    async def arriving() -> AsyncIterator[dict[str, Any]]:
        for line in lines:
            yield line

    report = (await kernel.goods.import_(arriving() if asynchronous else lines, max_failures=1)).unwrap()
    again = (await kernel.goods.import_(lines, upsert=True)).unwrap()

    assert (report.created, report.failed) == (2, [(2, AlreadyExists("goods", ("code",)))])
    assert (again.created, again.updated) == (0, 3)
