"""Relational schema stores whose tools know tables with a column each, and the steps that create them."""

import hashlib
import json
from collections.abc import Collection

from sqlalchemy import Connection, MetaData, inspect, make_url, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.step import Effect, Probe, Reversibility, Step, StepMode
from fastapi_easy.domain.ports.schema_store import StoredSchema
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.migrations.relational.store import RelationalSchemaStore
from fastapi_easy.infrastructure.migrations.relational.tools import SchemaTools
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.system_tables.own_tables import UNTRACKED
from fastapi_easy.testing.conformance import SchemaStoreFactory


def describe(connection: Connection, own_tables: Collection[str]) -> StoredSchema:
    """Describe tables, columns and indexes."""
    found = inspect(connection)
    tables = {
        name: [
            [f"{each['name']} {each['type']} {each['nullable']}" for each in found.get_columns(name)],
            sorted(str(each["name"]) for each in found.get_indexes(name)),
        ]
        for name in sorted(set(found.get_table_names()) - set(own_tables))
    }
    return StoredSchema(
        fingerprint=hashlib.sha256(json.dumps(tables).encode()).hexdigest(),
        server_version="1",
        is_empty=not tables,
    )


def find_effect(connection: Connection, probe: Probe) -> Effect:
    """Look for a table, with rows in it or not, a column or an index."""
    found = inspect(connection)
    table = str(probe.wanted.get("table", ""))
    match probe.kind:
        case "table":
            exists = found.has_table(table)
        case "column":
            exists = probe.wanted["column"] in {each["name"] for each in found.get_columns(table)}
        case "filled":
            exists = found.has_table(table)
            if exists and not connection.execute(select(text("1")).select_from(text(table))).first():
                return Effect.PARTIAL
        case "index":
            name = probe.wanted["index"]
            exists = name in {each["name"] for each in found.get_indexes(table)}
            if exists and connection.dialect.name == "postgresql":
                asked = text("SELECT indisvalid FROM pg_index WHERE indexrelid = CAST(:name AS regclass)")
                if not connection.execute(asked, {"name": name}).scalar_one():
                    return Effect.PARTIAL
        case _:
            return Effect.UNKNOWN
    return Effect.APPLIED if exists is not probe.absent else Effect.NOT_APPLIED


TOOLS = SchemaTools(
    describe=describe,
    checksum=lambda *_: "d0",
    detect=lambda *_: (),
    compile=lambda *_: (),
    measure=lambda *_: Statistics(),
    find_effect=find_effect,
)


def store_at(url: str, **options: object) -> RelationalSchemaStore:
    """A store at *url*, which names a driver."""
    clock = options.pop("clock", SystemClock())
    tools = options.pop("tools", TOOLS)
    return RelationalSchemaStore(
        "shop", make_url(url), lambda _: DeclaredTables(metadata=MetaData()), tools, clock, **options
    )


def creating(name: str, mode: StepMode, *more: str) -> Step:
    """A step that creates the table *name*."""
    return Step(
        changes=(Change(kind=ChangeKind.CREATE_TABLE, table=name),),
        summary=f"create table {name}, 100% of it",
        statements=(
            f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, label VARCHAR(40) DEFAULT '50%, :x')",
            *more,
        ),
        reverse=(f"DROP TABLE {name}",),
        reversibility=Reversibility.FULL,
        mode=mode,
        reverse_mode=mode,
        probe=Probe(kind="table", wanted={"table": name}),
    )


def failing(name: str, mode: StepMode) -> Step:
    """A step that creates the table *name*, and fails then."""
    return creating(name, mode, "INSERT INTO nowhere VALUES (1)")


def through(url: str, driver: str) -> str:
    """Return *url* with *driver*."""
    return (
        make_url(url).set(drivername=f"{make_url(url).get_backend_name()}+{driver}").render_as_string(False)
    )


async def tables_at(url: str) -> frozenset[str]:
    """The names of the tables at *url* but for those of the ledger."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    return frozenset(names) - UNTRACKED


async def empty(url: str) -> None:
    """Drop every table at *url*."""
    engine = create_async_engine(url, poolclass=NullPool)

    def drop(sync: Connection) -> None:
        stored = MetaData()
        stored.reflect(sync)
        stored.drop_all(sync)

    async with engine.begin() as connection:
        await connection.run_sync(drop)
    await engine.dispose()


def factory_at(url: str, modes: Collection[StepMode], column: str, **options: object) -> SchemaStoreFactory:
    """The factory of stores at *url*."""
    return SchemaStoreFactory(
        open=lambda: store_at(url, **options),
        step=creating,
        broken_step=failing,
        names=lambda: tables_at(url),
        modes=frozenset(modes),
        column=column,
    )
