"""Row-level security of PostgreSQL, the second wall: also raw SQL through the application's role sees one tenant."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import create_engine, make_url, text
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import Create, Update
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.composition.schemas.row_security import row_security_statements
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Everything, Failure, NotFound, Principal
from fastapi_easy.domain.current_tenant import enter_tenant
from fastapi_easy.settings import Settings
from tests.e2e.stores import CHOSEN, empty_store
from tests.e2e.tenants import SqlShop, Statements, Tenant

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHOSEN in os.environ, reason="names its stores itself"),
]

DRIVERS = ("asyncpg", "psycopg")


class Counter(SQLModel, table=True):
    __tablename__ = "walled_counter"
    id: int | None = Column(default=None, primary_key=True)
    org_id: int
    value: int = 0


class Device(SQLModel, table=True):
    __tablename__ = "walled device"
    id: int | None = Column(default=None, primary_key=True)
    owner: UUID = Column(sa_column_kwargs={"name": "owned by"})


class WalledShop(SqlShop):
    counters = resource(Counter, tenant="org_id")
    devices = resource(Device, tenant="owner")


def settings_at(url: str, **options: Any) -> Settings:
    return Settings.model_validate({"databases": {"default": {"url": url, **options}}})


@contextmanager
def role_of(url: str) -> Iterator[str]:
    """The URL for a role that owns nothing, in the database at *url*; the role is gone at the end."""
    owner, role = make_url(url).set(drivername="postgresql+psycopg"), f"app_{uuid4().hex[:12]}"
    engine = create_engine(owner, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        _ = connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        for grant in (
            "USAGE ON SCHEMA public",
            "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public",
        ):
            _ = connection.execute(text(f"GRANT {grant} TO {role}"))
        _ = connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"))
        try:
            yield make_url(url).set(username=role, password=None).render_as_string(hide_password=False)
        finally:
            _ = connection.execute(text(f"DROP OWNED BY {role}"))
            _ = connection.execute(text(f"DROP ROLE {role}"))
    engine.dispose()


async def build_tables(url: str, *, walls: bool = True) -> None:
    """Create the tables of the shop as their owner, and the walls around them as a deployment would."""
    shop: Any = WalledShop(settings=settings_at(url, migrations="auto"))
    async with open_kernel(shop):
        statements = row_security_statements(shop, shop.databases.default()) if walls else ()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            _ = connection.exec_driver_sql(statement)
    engine.dispose()


@asynccontextmanager
async def walled_shop(url: str, driver: str, **overriding: Any) -> AsyncIterator[tuple[Any, Any]]:
    address = url.replace("postgresql://", f"postgresql+{driver}://")
    shop: Any = WalledShop(settings=settings_at(address, row_security=True, pool_size=1), **overriding)
    async with open_kernel(shop) as kernel:
        yield shop, kernel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def role_url() -> AsyncIterator[str]:
    with empty_store("postgres", Path()) as url:
        await build_tables(url)
        with role_of(url) as address:
            yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=DRIVERS)
async def opened(role_url: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Any, Any]]:
    async with walled_shop(role_url, request.param) as shop:
        yield shop


async def raw(shop: Any, tenant: str | None, statement: str) -> list[Any]:
    """What *statement* answers to the application's role, in a transaction of *tenant*."""
    enter_tenant(tenant)
    database = shop.databases.default()
    transaction = database.begin()
    try:
        async with transaction.lend_connection(writes=False) as connection:
            rows = await database.executor.run_in_greenlet(
                lambda: connection.exec_driver_sql(statement).all()
            )
        return [tuple(row) for row in rows]
    finally:
        await transaction.close()
        enter_tenant(None)


async def test_raw_sql_through_the_applications_role_sees_one_tenant(opened: Any) -> None:
    shop, kernel = opened
    ours, theirs = Tenant(kernel), Tenant(kernel)
    _ = await ours.order("1"), await theirs.order("1"), await theirs.order("2")
    everything = "SELECT org_id, number FROM tenant_order ORDER BY number"

    assert await raw(shop, ours.name, everything) == [(ours.name, "1")]
    assert await raw(shop, theirs.name, everything) == [(theirs.name, "1"), (theirs.name, "2")]
    for nobody in (None, "", "elsewhere", "it's; \\ \x00", "\ud800"):
        assert await raw(shop, nobody, everything) == []
    # Outside of a transaction of ours as well: a connection in the pool belongs to nobody.
    seen = await shop.databases.default().executor.run_sync(
        lambda connection: connection.exec_driver_sql(everything).all()
    )
    assert seen == []


async def test_a_program_behind_the_wall_does_what_it_does_without(opened: Any) -> None:
    _, kernel = opened
    ours, theirs = Tenant(kernel), Tenant(kernel)
    customer, foreign = await ours.customer(name="Ann"), await theirs.customer(name="Zoe")

    order = await ours.order("1", customer_id=customer.id)
    many = (await ours.orders.bulk([Create({"number": "2"}), Create({"number": "3"})])).unwrap()
    changed = (await ours.orders.bulk([Update(order.id, {"total": 4})])).unwrap()
    listed = (
        await ours.orders.list(include="customer", sort="-customer.name,number", count="exact")
    ).unwrap()
    imported = (await ours.orders.import_([{"number": str(each)} for each in range(4, 8)])).unwrap()
    exported = [
        row.number async for chunk in (await ours.orders.export(sort="number")).unwrap() for row in chunk
    ]

    assert [each.unwrap().org_id for each in (*many.outcomes, *changed.outcomes)] == [ours.name] * 3
    assert ([row["customer"] for row in listed.items], listed.total) == ([customer, None], 3)
    assert (imported.created, exported) == (4, list("1234567"))
    assert await ours.customers.get(foreign.id) == Failure(NotFound("customers", foreign.id))
    assert (await ours.orders.delete(order.id)).unwrap() is None
    assert (await theirs.orders.count()).unwrap() == 0


async def test_calls_of_several_tenants_in_turn_keep_theirs_apart(opened: Any) -> None:
    _, kernel = opened
    ours, theirs = Tenant(kernel), Tenant(kernel)
    _ = await theirs.order("1")

    async with ours.kernel.unit_of_work() as work:
        orders = work.repository("orders")
        _ = (await orders.add({"number": "1"})).unwrap()
        _ = (await orders.add({"number": "2"})).unwrap()
        assert (await orders.count(Everything())).unwrap() == 2
        _ = (await work.commit()).unwrap()

    assert [(await each.orders.count()).unwrap() for each in (ours, theirs)] == [2, 1]


async def test_the_wall_reads_numbers_and_uuids(opened: Any) -> None:
    shop, kernel = opened
    owner, number = uuid4(), -7
    counters = kernel.acting_as(Principal(id="ada", tenant=str(number))).counters
    devices = kernel.acting_as(Principal(id="ada", tenant=str(owner).upper())).devices

    counter, device = (await counters.create()).unwrap(), (await devices.create()).unwrap()

    assert (await counters.get(counter.id)).unwrap().org_id == number
    assert (await devices.get(device.id)).unwrap().owner == owner
    assert set(await raw(shop, str(number), "SELECT org_id FROM walled_counter")) == {(number,)}
    for nobody in ("seven", "9" * 19, "-", ""):
        assert await raw(shop, nobody, "SELECT * FROM walled_counter") == []
        assert await raw(shop, nobody, 'SELECT * FROM "walled device"') == []


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_transaction_is_told_its_tenant_with_its_begin(role_url: str, driver: str) -> None:
    spans = Statements()
    async with walled_shop(role_url, driver, tracer=spans) as (_, kernel):
        ours = Tenant(kernel)
        order = await ours.order("1")
        spans.names.clear()

        _ = (await ours.orders.get(order.id)).unwrap()
        _ = (await ours.orders.create(number="2")).unwrap()

    statements = [name for name in spans.names if not name.startswith("fastapi_easy")]
    assert [name.partition(" ")[0] for name in statements if not name.startswith("orders")] == [
        *("BEGIN", "SELECT", "COMMIT"),
        *("BEGIN", "INSERT", "COMMIT"),
    ]


async def test_a_start_refuses_a_wall_that_is_not_there_or_does_not_hold() -> None:
    with empty_store("postgres", Path()) as url:
        await build_tables(url, walls=False)
        with pytest.raises(DeclarationError, match="superuser"):
            async with walled_shop(url, "asyncpg"):
                pass
        with role_of(url) as role:
            with pytest.raises(DeclarationError) as error:
                async with walled_shop(role, "asyncpg"):
                    pass
            assert [each.split(":")[1].strip() for each in error.value.mistakes] == [
                "customers",
                "orders",
                "counters",
                "devices",
            ]
            await build_tables(url)
            async with walled_shop(role, "asyncpg"):
                pass


async def test_row_security_is_postgresqls(tmp_path: Path) -> None:
    class Shop(Container):
        counters = resource(Counter, tenant="org_id")

    shop: Any = Shop(settings=settings_at(f"sqlite:///{tmp_path}/shop.db", row_security=True))

    with pytest.raises(DeclarationError, match="row_security needs PostgreSQL"):
        _ = shop.kernel()
