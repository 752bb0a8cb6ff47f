"""Whatever two tenants do, in whatever order, each finds what it would find in a store of its own."""

import asyncio
import os
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastapi_easy.application import Create, DeleteWhere, UpdateWhere
from fastapi_easy.domain import Failure, Operator, Where
from tests.e2e.stores import CHOSEN
from tests.e2e.tenants import COLUMNS, OpenShop, Tenant, open_shop

pytestmark = pytest.mark.skipif(CHOSEN in os.environ, reason="names its stores itself")

EXAMPLES = {"memory": 30, "sqlite": 10}
"""How many walks; few on servers, where each step takes a trip."""

Rows: TypeAlias = dict[str, int]
"""The totals of the orders of one tenant, by number."""

Step: TypeAlias = tuple[int, str, str, int]
"""Who, does what, with which number and total."""

numbers = st.sampled_from("abc")
totals = st.integers(0, 3)
kinds = st.sampled_from(
    ["create", "upsert", "update", "delete", "update_where", "delete_where", "bulk", "import"]
)
walks = st.lists(st.tuples(st.integers(0, 1), kinds, numbers, totals), max_size=8)


def expect(rows: Rows, kind: str, number: str, total: int) -> None:
    """Do to *rows* what the step does to a store."""
    match kind:
        case "create" | "bulk" | "import":
            _ = rows.setdefault(number, total)
        case "upsert":
            rows[number] = total
        case "update":
            if number in rows:
                rows[number] = total
        case "delete":
            _ = rows.pop(number, None)
        case "update_where":
            rows.update({name: 3 for name, value in rows.items() if value < total})
        case "delete_where":
            for name in [name for name, value in rows.items() if value < total]:
                del rows[name]


async def perform(tenant: Tenant, kind: str, number: str, total: int, keys: list[int]) -> None:
    """Do the step; what names a key names that of either tenant, whichever had the number last."""
    orders, below = tenant.orders, Where("total", Operator.LESS, total)
    own = (await orders.list(number=number)).unwrap().items
    match kind:
        case "create":
            _ = await orders.create(number=number, total=total)
        case "bulk":
            _ = await orders.bulk([Create({"number": number, "total": total})])
        case "import":
            _ = await orders.import_([{"number": number, "total": total}])
        case "upsert":
            _ = (await orders.upsert(number=number, total=total)).unwrap()
        case "update":
            _ = [(await orders.update(row.id, {"total": total})).unwrap() for row in own]
        case "delete":
            _ = [(await orders.delete(row.id)).unwrap() for row in own]
        case "update_where":
            _ = (await orders.bulk([UpdateWhere(below, {"total": 3}, 10)])).unwrap()
        case "delete_where":
            _ = (await orders.bulk([DeleteWhere(below, 10)])).unwrap()
    foreign = [key for key in keys if isinstance(await orders.get(key), Failure)]
    for key in foreign:
        assert isinstance(await orders.update(key, {"total": 9}), Failure)
        assert isinstance(await orders.delete(key), Failure)


async def walk(shop: OpenShop, steps: list[Step]) -> None:
    tenants, models = shop.tenants(), (Rows(), Rows())
    for who, kind, number, total in steps:
        expect(models[who], kind, number, total)
        other = (await tenants[1 - who].orders.list(limit=100)).unwrap().items
        await perform(tenants[who], kind, number, total, [row.id for row in other])
        for tenant, rows in zip(tenants, models, strict=True):
            found = await tenant.everything()
            assert {row.org_id for row in found} <= {tenant.name}
            assert {row.number: row.total for row in found} == rows


@pytest.mark.parametrize("column", COLUMNS)
async def test_two_tenants_are_two_stores(column: str, tmp_path: Path) -> None:
    async with open_shop(column, tmp_path) as shop:
        await walk(shop, EVERYTHING)


EVERYTHING: list[Step] = [
    (who, kind, number, total)
    for kind, total in (
        ("create", 1),
        ("bulk", 2),
        ("import", 0),
        ("upsert", 2),
        ("update", 0),
        ("update_where", 1),
        ("delete_where", 1),
        ("delete", 0),
    )
    for who, number in ((0, "a"), (1, "a"), (1, "b"))
]
"""Each kind of step, by both tenants, with numbers that both have and that one has."""


@pytest.mark.parametrize("column", EXAMPLES)
def test_no_walk_of_two_tenants_crosses(column: str, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opened: Any = open_shop(column, tmp_path)
        shop = runner.run(opened.__aenter__())

        @settings(max_examples=EXAMPLES[column], suppress_health_check=list(HealthCheck))
        @given(walks)
        def crosses(steps: list[Step]) -> None:
            runner.run(walk(shop, steps))

        try:
            crosses()
        finally:
            _ = runner.run(opened.__aexit__(None, None, None))
