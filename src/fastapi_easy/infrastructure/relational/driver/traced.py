"""Executors that record each statement as a span."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Delete, Executable, Insert, Select, Table, Update
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.ports.tracer import Attributes, Span, Tracer
from fastapi_easy.infrastructure.relational.driver.direct_execution import DirectExecutor
from fastapi_easy.infrastructure.relational.driver.executor import Executor, Parameters, StatementResult
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection

_CACHE_ATTRIBUTE: Final = "_fastapi_easy_described"
_TRANSACTION_VERBS: Final = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedExecutor(Executor):
    """Runs statements through SQLAlchemy Core, each in a span."""

    tracer: Tracer

    async def run(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* on *pooled*, in a span."""
        with _span(self.tracer, self.engine.dialect, statement, parameters):
            return await Executor.run(self, pooled, statement, parameters)

    async def run_command(self, pooled: PooledConnection, sql: str) -> None:
        """Run *sql*, in a span if it is about a transaction."""
        if (verb := _verb(sql)) not in _TRANSACTION_VERBS:
            await Executor.run_command(self, pooled, sql)
            return
        with _span_of_verb(self.tracer, self.engine.dialect, verb):
            await Executor.run_command(self, pooled, sql)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedDirectExecutor(DirectExecutor):
    """Runs statements on the driver's own connections, each in a span."""

    tracer: Tracer

    async def run(
        self, pooled: PooledConnection, statement: Executable, parameters: Parameters
    ) -> StatementResult:
        """Run *statement* on *pooled*, in a span."""
        with _span(self.tracer, self.engine.dialect, statement, parameters):
            return await DirectExecutor.run(self, pooled, statement, parameters)

    async def run_command(self, pooled: PooledConnection, sql: str) -> None:
        """Run *sql*, in a span if it is about a transaction."""
        if (verb := _verb(sql)) not in _TRANSACTION_VERBS:
            await DirectExecutor.run_command(self, pooled, sql)
            return
        with _span_of_verb(self.tracer, self.engine.dialect, verb):
            await DirectExecutor.run_command(self, pooled, sql)


def _span(
    tracer: Tracer, dialect: Dialect, statement: Executable, parameters: Parameters
) -> AbstractContextManager[Span]:
    name, attributes = _describe(statement, dialect)
    # The conventions want the size of real batches only.
    if isinstance(parameters, Sequence) and len(parameters) > 1:
        attributes = {**attributes, "db.operation.batch.size": len(parameters)}
    return tracer.span(name, attributes, is_client=True)


def _span_of_verb(tracer: Tracer, dialect: Dialect, verb: str) -> AbstractContextManager[Span]:
    attributes = {"db.system.name": _system(dialect), "db.operation.name": verb}
    return tracer.span(verb, attributes, is_client=True)


def _describe(statement: Executable, dialect: Dialect) -> tuple[str, Attributes]:
    """Return the name of the span of *statement* and its attributes, which are cached on the statement."""
    kept = vars(statement)
    found: tuple[Dialect, str, Attributes] | None = kept.get(_CACHE_ATTRIBUTE)
    if found is None or found[0] is not dialect:
        text = str(statement.compile(dialect=dialect))  # type: ignore[attr-defined] # all of ours can be
        verb = _verb(text)
        attributes = {"db.system.name": _system(dialect), "db.operation.name": verb, "db.query.text": text}
        table = _table_of(statement)
        if table is not None:
            attributes["db.collection.name"] = table
        found = kept[_CACHE_ATTRIBUTE] = dialect, verb if table is None else f"{verb} {table}", attributes
    return found[1], found[2]


def _table_of(statement: Executable) -> str | None:
    """Return the table that *statement* is about: the one it writes, or the first it selects from."""
    match statement:
        case Insert() | Update() | Delete():
            tables: Sequence[Any] = [statement.table]
        case Select():
            tables = statement.get_final_froms()
        case _:
            tables = ()
    return next((each.name for each in tables if isinstance(each, Table)), None)


def _verb(text: str) -> str:
    """Return the first word of *text*: `SELECT`; of a script that commits, `COMMIT`."""
    if text.endswith(";COMMIT"):
        return "COMMIT"
    return text.split(None, 1)[0].rstrip(";").upper()


def _system(dialect: Dialect) -> str:
    """Return OpenTelemetry's name of the database system."""
    return "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
