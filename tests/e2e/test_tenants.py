"""Tenants do not see, count, change, find or refer to anything of each other, whatever is asked, on every store."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from fastapi_easy.application import Create, Delete, DeleteWhere, Update, UpdateWhere
from fastapi_easy.domain import (
    AlreadyExists,
    Everything,
    Failure,
    Forbidden,
    Invalid,
    NotFound,
    Operator,
    Patch,
    Query,
    ReferenceBroken,
    Where,
)
from tests.e2e.stores import CHOSEN
from tests.e2e.tenants import COLUMNS, OpenShop, RenameCustomer, open_shop

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHOSEN in os.environ, reason="names its stores itself"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=COLUMNS)
async def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OpenShop]:
    async with open_shop(request.param, tmp_path_factory.mktemp("shop")) as opened:
        yield opened


def is_extra(outcome: Any) -> bool:
    """Whether *outcome* is that the tenant is not for callers to say."""
    error = outcome.failure()
    return isinstance(error, Invalid) and [(each.pointer, each.code) for each in error.faults] == [
        ("/org_id", "extra_forbidden")
    ]


async def test_what_a_caller_creates_is_of_their_tenant(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()

    created = await ours.order("1")
    many = (await ours.orders.bulk([Create({"number": "2"}), Create({"number": "3"})])).unwrap()
    upserted = (await ours.orders.upsert(number="4")).unwrap()
    imported = (await ours.orders.import_([{"number": "5"}, {"number": "6"}])).unwrap()

    rows = [created, *(each.unwrap() for each in many.outcomes), upserted.row]
    assert [row.org_id for row in rows] == [ours.name] * 4
    assert imported.created == 2
    assert [row.org_id for row in await ours.everything()] == [ours.name] * 6
    assert await theirs.everything() == []


async def test_no_caller_says_which_tenant_it_is(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    order, said = await ours.order("1"), {"org_id": theirs.name}

    outcomes = [
        await ours.orders.create(number="2", **said),
        await ours.orders.create(number="2", org_id=ours.name),
        await ours.orders.update(order.id, said),
        await ours.orders.replace(order.id, {"number": "1", **said}),
        await ours.orders.upsert(number="1", **said),
        (await ours.orders.bulk([Create({"number": "2", **said})], atomic=False)).unwrap().outcomes[0],
        (await ours.orders.bulk([Update(order.id, said)], atomic=False)).unwrap().outcomes[0],
    ]

    assert [is_extra(each) for each in outcomes] == [True] * 7
    assert await ours.everything() == [order]
    assert await theirs.everything() == []


async def test_nothing_of_another_tenant_is_read(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    customer, order = await theirs.customer(name="Emma"), await theirs.order("1", total=7)

    assert await ours.orders.get(order.id) == Failure(NotFound("orders", order.id))
    assert await ours.everything() == []
    assert (await ours.customers.list(q="emma")).unwrap().items == []
    assert (await theirs.customers.list(q="emma")).unwrap().items == [customer]
    for where in (
        {"org_id": theirs.name},
        {"org_id__ne": ours.name},
        {"or": [{"id": order.id}, {"id__gt": 0}]},
    ):
        assert (await ours.orders.list(where)).unwrap().items == []
        assert (await ours.orders.count(where)).unwrap() == 0
    [summed] = (await ours.orders.aggregate(total="sum:total")).unwrap()
    assert summed.totals == (None,)


async def test_nothing_of_another_tenant_is_changed(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    customer, order = await theirs.customer(), await theirs.order("1", total=7)
    missing = Failure(NotFound("orders", order.id))

    by_key = [
        await ours.orders.update(order.id, {"total": 1}),
        await ours.orders.update(order.id, {}),
        await ours.orders.replace(order.id, {"number": "9"}),
        await ours.orders.delete(order.id),
        *(await ours.orders.bulk([Update(order.id, {"total": 1})], atomic=False)).unwrap().outcomes,
        *(await ours.orders.bulk([Delete(order.id)], atomic=False)).unwrap().outcomes,
    ]
    everywhere = Where("total", Operator.GREATER_OR_EQUAL, 0)
    by_where = (
        await ours.orders.bulk([UpdateWhere(everywhere, {"total": 1}, 100), DeleteWhere(everywhere, 100)])
    ).unwrap()
    performed = await ours.customers.perform(customer.id, RenameCustomer("x"))

    assert by_key == [missing] * 6
    assert [each.unwrap() for each in by_where.outcomes] == [0, 0]
    assert performed == Failure(NotFound("customers", customer.id))
    assert await theirs.everything() == [customer, order]


async def test_no_deleted_entity_of_another_tenant_is_restored_or_purged(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    own, foreign = await ours.customer(), await theirs.customer()
    _ = [(await each.customers.delete(row.id)).unwrap() for each, row in ((ours, own), (theirs, foreign))]

    missing = [await ours.customers.restore(foreign.id), await ours.customers.purge(foreign.id)]
    restored = (await ours.customers.restore(own.id)).unwrap()

    assert missing == [Failure(NotFound("customers", foreign.id))] * 2
    assert restored == own
    assert (await theirs.customers.restore(foreign.id)).unwrap() == foreign


async def test_a_bulk_by_where_changes_all_of_the_tenant(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    _ = [await ours.order(str(number), total=number) for number in range(4)]
    other = await theirs.order("1", total=1)

    changed = await ours.orders.bulk([UpdateWhere(Where("total", Operator.LESS, 3), {"total": 9}, 100)])
    removed = await ours.orders.bulk([DeleteWhere(Where("total", Operator.EQUALS, 9), 100)])

    assert [changed.unwrap().outcomes[0].unwrap(), removed.unwrap().outcomes[0].unwrap()] == [3, 3]
    assert [row.total for row in await ours.everything()] == [3]
    assert await theirs.everything() == [other]


async def test_a_reference_to_another_tenant_is_one_to_nothing(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    own, foreign = await ours.customer(), await theirs.customer()
    order = await ours.order("1", customer_id=own.id)
    broken = Failure(ReferenceBroken("orders", ("customer_id",)))
    referring = {"customer_id": foreign.id}
    everything = Where("total", Operator.GREATER_OR_EQUAL, 0)

    outcomes = [
        await ours.orders.create(number="2", **referring),
        await ours.orders.update(order.id, referring),
        await ours.orders.replace(order.id, {"number": "1", **referring}),
        await ours.orders.upsert(number="1", **referring),
        await ours.orders.upsert(number="2", **referring),
        *(await ours.orders.bulk([Create({"number": "2", **referring})], atomic=False)).unwrap().outcomes,
        *(await ours.orders.bulk([UpdateWhere(everything, referring, 9)], atomic=False)).unwrap().outcomes,
    ]
    imported = (await ours.orders.import_([{"number": "2", **referring}])).unwrap()

    assert outcomes == [broken] * 7
    assert [error for _, error in imported.failed] == [broken.failure()]
    assert await ours.everything() == [own, order]


async def test_no_relation_leads_out_of_the_tenant(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    own = await ours.customer(name="Ann")
    # As a program of before there were tenants, or the system, may have left it.
    foreign = await theirs.customer(name="Zoe")
    async with shop.kernel.unit_of_work() as work:
        orders = work.as_system().repository("orders")
        for number, customer in (("1", foreign), ("2", own)):
            row = {"org_id": ours.name, "number": number, "customer_id": customer.id}
            _ = (await orders.add(row)).unwrap()
        _ = (await work.commit()).unwrap()

    included = (await ours.orders.list(include="customer", sort="number")).unwrap().items
    by_name = [
        (await ours.orders.list(sort=order)).unwrap().items for order in ("customer.name", "-customer.name")
    ]
    backwards = (await theirs.customers.get(foreign.id, include="orders")).unwrap()

    assert [row["customer"] for row in included] == [None, own]
    assert [[row.number for row in rows] for rows in by_name] == [["2", "1"], ["2", "1"]]
    assert (await ours.orders.list({"customer.name": "Zoe"})).unwrap().items == []
    assert (await ours.orders.count({"customer.name": "Ann"})).unwrap() == 1
    assert (await theirs.customers.count({"orders.number": "1"})).unwrap() == 0
    assert backwards["orders"] == []


async def test_each_tenant_has_unique_values_of_its_own(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    order, other = await ours.order("1"), await theirs.order("1")

    taken = await ours.orders.create(number="1")
    found = (await ours.orders.upsert(number="1", total=5)).unwrap()
    new = (await theirs.orders.upsert(number="2", total=5)).unwrap()

    assert isinstance(taken.failure(), AlreadyExists)
    assert (found.created, found.row.id, new.created) == (False, order.id, True)
    assert (await theirs.everything())[0] == other


async def test_an_import_restores_no_entity_of_another_tenant(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    _ = await ours.order("1"), await ours.order("2", total=3)
    lines = [dict(row) for row in await ours.everything()]
    _ = [(await ours.orders.delete(line["id"])).unwrap() for line in lines]

    foreign = (await theirs.orders.import_(lines)).unwrap()
    own = (await ours.orders.import_(lines)).unwrap()

    refused = Forbidden("orders", "restore_import", "org_id")
    assert [error for _, error in foreign.failed] == [refused, refused]
    assert (own.created, own.failed) == (2, [])
    assert [dict(row) for row in await ours.everything()] == lines
    assert await theirs.everything() == []


async def test_a_caller_without_a_tenant_finds_nothing_and_creates_nothing(shop: OpenShop) -> None:
    ours, nobody = shop.tenants()[0], shop.nobody
    customer, order = await ours.customer(), await ours.order("1")
    refused = Failure(Forbidden("orders", "create"))

    assert await nobody.everything() == []
    assert await nobody.orders.get(order.id) == Failure(NotFound("orders", order.id))
    assert await nobody.orders.update(order.id, {"total": 1}) == Failure(NotFound("orders", order.id))
    assert await nobody.orders.delete(order.id) == Failure(NotFound("orders", order.id))
    assert await nobody.customers.perform(customer.id, RenameCustomer("x")) == Failure(
        NotFound("customers", customer.id)
    )
    assert await nobody.orders.create(number="2") == refused
    assert await nobody.orders.upsert(number="2") == refused
    assert list((await nobody.orders.bulk([Create({"number": "2"})])).unwrap().outcomes) == [refused]
    assert (await nobody.orders.import_([{"number": "2"}])).unwrap().created == 0
    assert await ours.everything() == [customer, order]


async def test_a_unit_of_work_is_that_of_one_tenant_and_of_all_as_the_system(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    order, other = await ours.order("1"), await theirs.order("1")

    async with ours.kernel.unit_of_work() as work:
        mine, system = work.repository("orders"), work.as_system().repository("orders")
        seen = [row.id for row in (await mine.select(Query())).unwrap().items]
        foreign = await mine.read(other.id)
        everybodys = [(await system.read(each.id)).unwrap().org_id for each in (order, other)]
        stamped = (await mine.add({"number": "2", "org_id": theirs.name})).unwrap()
        unsaid = await system.add({"number": "3"})
        said = (await system.add({"number": "3", "org_id": theirs.name})).unwrap()
        _ = (await work.commit()).unwrap()

    assert (seen, foreign) == ([order.id], Failure(NotFound("orders", other.id)))
    assert everybodys == [ours.name, theirs.name]
    assert (stamped.org_id, said.org_id) == (ours.name, theirs.name)
    assert [each.pointer for each in unsaid.failure().faults] == ["/org_id"]
    assert [row.number for row in await theirs.everything()] == ["1", "3"]


async def test_no_code_moves_an_entity_to_another_tenant(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    order = await ours.order("1")

    async with ours.kernel.unit_of_work() as work:
        moved = await work.repository("orders").update(order.id, Patch({"org_id": theirs.name}))
        committed = await work.commit()
    async with ours.kernel.unit_of_work() as work:
        everywhere = Where("number", Operator.EQUALS, "1")
        all_moved = await work.repository("orders").update_where(
            everywhere, Patch({"org_id": theirs.name}), max_affected=9
        )

    assert moved == committed == all_moved == Failure(Forbidden("orders", "update"))
    assert await ours.everything() == [order]
    assert await theirs.everything() == []


async def test_a_dry_run_stays_inside_the_tenant(shop: OpenShop) -> None:
    ours, theirs = shop.tenants()
    rehearsed = ours.kernel.acting_as(dry_run=True).orders
    other = await theirs.order("1")

    created = (await rehearsed.create(number="1")).unwrap()
    missing = await rehearsed.delete(other.id)

    assert created.org_id == ours.name
    assert missing == Failure(NotFound("orders", other.id))
    assert await ours.everything() == []
    assert (await theirs.orders.count()).unwrap() == 1
    async with theirs.kernel.unit_of_work() as work:
        assert (await work.repository("orders").count(Everything())).unwrap() == 1
