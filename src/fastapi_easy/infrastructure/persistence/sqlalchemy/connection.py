"""One relational database and its pool of connections."""

import asyncio
import dataclasses
import math
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

from returns.result import Failure, Success
from sqlalchemy import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.database import Pool, SchemaMode
from fastapi_easy.domain.ports.tracer import Tracer
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.domain.resources.tables.omitted import without_search
from fastapi_easy.infrastructure.persistence.sqlalchemy.mapped_tables import MappedTables, StoredResource
from fastapi_easy.infrastructure.persistence.sqlalchemy.schema import compare, create, is_fresh
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.copies import MYSQL_INDEXED_LENGTH
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.conversions import Conversion
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.discovery import narrow_to_dialect
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.entities import DeclarativeEntities, Entities
from fastapi_easy.infrastructure.relational.catalogue.read_only import asks_read_only
from fastapi_easy.infrastructure.relational.driver.direct_execution import DIRECT_DRIVERS, DirectExecutor
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.driver.traced import TracedDirectExecutor, TracedExecutor
from fastapi_easy.infrastructure.relational.engine import client_timeout, make_engine
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, TableConstraints, as_unavailable
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN, ConnectionOptions
from fastapi_easy.infrastructure.relational.other_values import OTHER_VALUES
from fastapi_easy.infrastructure.relational.server import (
    TECHNOLOGIES,
    ServerName,
    detect_server,
    server_name_of,
)
from fastapi_easy.infrastructure.relational.sessions.sessions import sessions_of
from fastapi_easy.infrastructure.relational.sqlite.database_file import find_file_mistake
from fastapi_easy.infrastructure.relational.sqlite.number_types import SQLITE_DIGITS, SQLITE_OTHER_NUMBERS
from fastapi_easy.infrastructure.relational.sqlite.odd_values import ANY_TEXT, other_types
from fastapi_easy.infrastructure.relational.sqlite.turn_taking_pool import pool_of
from fastapi_easy.infrastructure.relational.transaction import Transaction
from fastapi_easy.infrastructure.relational.url import resolve
from fastapi_easy.infrastructure.relational.urls.postgres import with_pooler

T = TypeVar("T")

CHECK_TIMEOUT: Final = 2.0
"""Seconds that `check` waits."""

_COMMON: Final = frozenset(
    {Capability.TRANSACTIONS, Capability.COMPOSITE_KEYS, Capability.MICROSECONDS, Capability.REFERENCES}
)
_CAPABILITIES: Final[Mapping[ServerName, frozenset[Capability]]] = {
    "sqlite": _COMMON,
    "postgresql": _COMMON | {Capability.ARRAYS, Capability.WIDE_DECIMALS, Capability.ESTIMATES},
    "mysql": _COMMON | {Capability.WIDE_DECIMALS},
}
_MYSQL_PRECISION, _MYSQL_SCALE = 65, 30


class SqlAlchemyDatabase:
    """Implements `Database` on SQLite, PostgreSQL, MySQL and MariaDB.

    `sqlite://` without a file means a database that lives as long as this object. It is kept in a temporary
    file, because connections to a database in memory cannot be isolated from one another.

    Args:
        name: Its name in the settings.

        url: `sqlite:///shop.db`, `postgresql://…`, `mysql://…`, `mariadb://…`, with or without a driver.

        options: Limits.

        breaker: Returns the circuit breaker of the connection pool; called for each checkout.

        tracer: Records each statement.

    Attributes:
        entities: Maps classes to tables, and instances to rows.

        executor: Runs statements.

        queue: The calls that wait for a connection.

        url: Where it is, with everything that the settings say; that of the engine lacks what drivers are told apart.

    Raises:
        DeclarationError: The URL names no database this adapter knows, or its driver is not installed.
    """

    entities: Entities = DeclarativeEntities()

    def __init__(
        self,
        name: str,
        url: str,
        options: ConnectionOptions | None = None,
        breaker: Callable[[], Breaker | None] = lambda: None,
        tracer: Tracer | None = None,
    ) -> None:
        self._name = name
        limits = ConnectionOptions() if options is None else options
        resolved = with_pooler(resolve(url), limits.pooler)
        self._scratch = _scratch_folder() if _is_in_memory(resolved) else None
        if self._scratch is not None:
            resolved = URL.create(resolved.drivername, database=str(self._scratch / "scratch.db"))
        self.url = resolved
        self._backend = resolved.get_backend_name()
        self._server_name = server_name_of(self._backend)
        self._engine: AsyncEngine = make_engine(resolved, limits, scratch=self._scratch is not None)
        engine = self._engine.sync_engine
        # Logging with `echo` is SQLAlchemy's: what goes past it is not logged.
        direct = engine.driver in DIRECT_DRIVERS and not limits.echo
        if tracer is None:
            kind: Callable[..., Executor] = DirectExecutor if direct else Executor
        else:
            kind = partial(TracedDirectExecutor if direct else TracedExecutor, tracer=tracer)
        self.executor = kind(
            engine=engine,
            pool=pool_of(self._server_name, limits)(
                engine,
                size=limits.pool_size,
                checkout_timeout=limits.pool_timeout,
                connect_timeout=limits.connect_timeout + CLIENT_TIMEOUT_MARGIN,
                recycle=limits.recycle,
                queue_time=limits.queue_time,
                breaker=breaker,
            ),
            client_timeout=client_timeout(resolved, limits),
            aborts_on_error=self._server_name == "postgresql",
            is_uninterruptible=self._server_name == "sqlite",
            statement_timeout=limits.statement_timeout or math.inf,
            has_row_security=limits.row_security,
            sessions=sessions_of(engine),
        )
        self.executor.pool.leak_check_name = name
        self.queue = self.executor.pool.queue
        self._is_read_only = False
        self._mapped_tables: MappedTables | None = None
        self._planning: dict[Resource[Any], asyncio.Event] = {}

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self._name

    @property
    def technology(self) -> str:
        """The name of its technology, for people."""
        if self._mapped_tables is not None and self._mapped_tables.server.is_mariadb:
            return "MariaDB"
        return TECHNOLOGIES[self._backend]

    @property
    def is_scratch(self) -> bool:
        """Whether it ends with this object."""
        return self._scratch is not None

    @property
    def is_read_only(self) -> bool:
        """Whether it took no changes when it was checked last."""
        return self._is_read_only

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do; before the first connection, what all of its kind can do."""
        returns = (
            self._server_name != "mysql"
            if self._mapped_tables is None
            else self._mapped_tables.server.insert_returning
        )
        return _CAPABILITIES[self._server_name] | ({Capability.RETURNING} if returns else set())

    def can_combine_writes(self, resource: Resource[Any]) -> bool:
        """Return whether one statement can change *resource* and write rows of the journal.

        Not before its first statement, nor where triggers change what the journal would tell, nor in several tables.
        """
        if self._server_name != "postgresql":
            return False
        plan = self.known_plan(resource)
        return plan is not None and plan.is_one_table and not plan.triggers.exist

    def can_hold_rows(self, resource: Resource[Any]) -> bool:
        """Return whether rows of *resource* can be held by reading them: none of a view, none before its first use."""
        plan = self.known_plan(resource)
        return plan is not None and not plan.triggers.exist

    @property
    def pool(self) -> Pool:
        """The state of its connection pool, after a check for leaks."""
        pool = self.executor.pool
        pool.check_for_leaks()
        waits, seconds = pool.waits
        return Pool(
            limit=pool.size,
            open=pool.open,
            in_use=pool.in_use,
            waiting=pool.waiting,
            shed=pool.shed,
            waits=waits,
            wait_seconds=seconds,
            leaked=pool.leaked,
        )

    def narrow_shape(self, name: str, shape: Shape) -> tuple[Shape, list[str]]:
        """Narrow *shape* to what this database can hold."""
        refused: list[str] = []
        if shape.table is None:
            refused.append(
                f"{name} is of a class that is mapped to no table, which {self.technology} needs;"
                " declare an SQLAlchemy class, or an SQLModel class with table=True, or name one as stored_as"
            )
        if Capability.ARRAYS not in self.capabilities:
            refused += [
                f"{name}.{field.name} is an array, which {self.technology} has no column for; use JSON, or PostgreSQL"
                for field in shape.fields
                if field.kind is Kind.ARRAY
            ]
        indexed = {*shape.key, *(each for rule in shape.unique for each in rule)}
        dialect = self._engine.dialect
        fields = []
        for declared in shape.fields:
            field = narrow_to_dialect(f"{name}.{declared.name}", declared, dialect)
            if isinstance(field, str):
                refused.append(field)
                field = declared
            fields.append(self._adapt_field(field, is_indexed=field.name in indexed))
        is_searching = self._server_name == "postgresql"
        omitted = shape.omitted if is_searching else without_search(shape.omitted)
        return dataclasses.replace(shape, fields=tuple(fields), omitted=omitted), refused

    async def open(self) -> None:
        """Look at the file of an SQLite database; connections are opened when statements need them.

        Raises:
            DeclarationError: The file can be no database.
        """
        if self._server_name != "sqlite" or self.is_scratch:
            return
        mistake = find_file_mistake(self.url)
        if mistake is not None:
            raise DeclarationError([f"database {self._name!r}: {mistake}"])

    async def close(self) -> None:
        """Give back every connection."""
        await self.executor.pool.close()
        await self._engine.dispose()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    async def check(self) -> Outcome[None]:
        """Check that the database answers within `CHECK_TIMEOUT`, past the circuit breaker and the wait queue."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                self._make_scratch()
                self._is_read_only = await asks_read_only(self.executor, self._server_name)
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(None)

    async def prepare(self, resources: Sequence[Resource[Any]], mode: SchemaMode) -> Outcome[Sequence[str]]:
        """Create or compare the stored schema of *resources*, as *mode* says."""
        if mode is SchemaMode.OFF:
            return Success(())
        try:
            mapped_tables = await self._detect_server()
            mapped = mapped_tables.tables_of(resources)
            found_fresh = mode is SchemaMode.FRESH and await self._run_sync(partial(is_fresh, tables=mapped))
            if mode is SchemaMode.CREATE or found_fresh:
                metadata, tables = mapped_tables.tables.metadata, mapped_tables.without_views()
                await self._run_sync(partial(create, metadata=metadata, tables=tables))
            differences = await self._run_sync(partial(compare, tables=mapped))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        # The columns may have changed since the plans were made.
        mapped_tables.clear_plans()
        return Success(tuple(differences))

    def begin(self, *, may_autocommit: bool = False) -> Transaction:
        """Return a new transaction, which takes a connection when something is executed in it.

        Args:
            may_autocommit: Whether it is committed right after its last write.
        """
        self._make_scratch()
        return Transaction(self.executor, may_autocommit=may_autocommit)

    def known_plan(self, resource: Resource[Any]) -> Plan | None:
        """Return the plan of *resource* on this server, if it was made already."""
        return None if self._mapped_tables is None else self._mapped_tables.plans.get(resource)

    async def plan(self, resource: Resource[Any]) -> Plan:
        """Return the plan of *resource* on this server, made once."""
        mapped_tables = self._mapped_tables
        if mapped_tables is None:
            mapped_tables = await self._detect_server()
        found = mapped_tables.plans.get(resource)
        return await self._make_plan(mapped_tables, resource) if found is None else found

    async def _make_plan(self, mapped_tables: MappedTables, resource: Resource[Any]) -> Plan:
        # One asks the catalogue for all: a hundred first calls would take a hundred connections for it.
        going_on = self._planning.get(resource)
        if going_on is not None:
            _ = await going_on.wait()
            found = mapped_tables.plans.get(resource)
            # If that has failed, each finds out for itself, at once and not one after the other.
            return await self._plan_from_catalogue(mapped_tables, resource) if found is None else found
        ended = self._planning[resource] = asyncio.Event()
        try:
            return await self._plan_from_catalogue(mapped_tables, resource)
        finally:
            del self._planning[resource]
            ended.set()

    async def _plan_from_catalogue(self, mapped_tables: MappedTables, resource: Resource[Any]) -> Plan:
        without_plan = mapped_tables.without_plan(resource)

        def find_stored(connection: Connection) -> dict[Resource[Any], StoredResource]:
            return {each: mapped_tables.find_stored(connection, each) for each in without_plan}

        return mapped_tables.make_plans(resource, await self._run_sync(find_stored))

    def constraints_of(self, resource: Resource[Any]) -> Sequence[TableConstraints]:
        """Return the constraints of the tables of *resource*; none before its first statement."""
        plan = self.known_plan(resource)
        return () if plan is None else plan.constraints

    async def _detect_server(self) -> MappedTables:
        if self._mapped_tables is None:
            server = await self._run_sync(detect_server)
            if self._mapped_tables is None:
                self._mapped_tables = MappedTables(server, self.entities)
        return self._mapped_tables

    async def _run_sync(self, work: Callable[[Connection], T]) -> T:
        """Call *work* with a connection of its own, and return its result."""
        self._make_scratch()
        return await self.executor.run_sync(work)

    def _make_scratch(self) -> None:
        if self._scratch is not None and not self._scratch.exists():
            self._scratch.mkdir(mode=0o700)
            _ = weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)

    def _adapt_field(self, declared: Field, *, is_indexed: bool) -> Field:
        if isinstance(declared.check, Conversion):
            # How much its column holds is for the user's type to say, and what it cannot read is shown as it is stored.
            return dataclasses.replace(declared, other_types=ANY_TEXT)
        other = OTHER_VALUES[self._server_name].get(declared.kind)
        field = declared if other is None else dataclasses.replace(declared, other_values=other)
        match self._server_name:
            case "sqlite":
                field = dataclasses.replace(field, other_types=other_types(field.kind))
                if field.kind is Kind.DECIMAL:
                    return dataclasses.replace(
                        field, significant_digits=SQLITE_DIGITS, other_values=SQLITE_OTHER_NUMBERS
                    )
                if field.kind is Kind.FLOAT:
                    return dataclasses.replace(field, other_values=SQLITE_OTHER_NUMBERS)
            case "mysql":
                if field.kind is Kind.DECIMAL and field.precision is None:
                    return dataclasses.replace(field, precision=_MYSQL_PRECISION, scale=_MYSQL_SCALE)
                if field.kind is Kind.TEXT and field.max_length is None and is_indexed:
                    return dataclasses.replace(field, max_length=MYSQL_INDEXED_LENGTH)
            case "postgresql":
                # Its columns are as wide as fields can be.
                pass
            case _:
                assert_never(self._server_name)
        return field

    def _unavailable(self, error: BaseException) -> Failure[Any]:
        unavailable = as_unavailable(error, self._name)
        if unavailable is None:
            raise error
        return Failure(unavailable)


def _is_in_memory(url: URL) -> bool:
    if url.get_backend_name() != "sqlite":
        return False
    database = url.database or ""
    return database in {"", ":memory:"} or ":memory:" in database or url.query.get("mode") == "memory"


def _scratch_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"fastapi_easy_{uuid.uuid4().hex}"
