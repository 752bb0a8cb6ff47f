"""A small executor of steps: what the store does, without ledger, lock and fence."""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from fastapi_easy.domain.migrations.step import Step, StepMode

OPTIONS = {"no_parameters": True}
LOCKS = ["RowExclusive", "ShareUpdateExclusive", "Share", "ShareRowExclusive", "Exclusive", "AccessExclusive"]
"""Of PostgreSQL, each stronger than the one before it."""


def execute(engine: Engine, step: Step, *, reverse: bool = False) -> None:
    statements = step.reverse if reverse else step.statements
    match step.reverse_mode if reverse else step.mode:
        case StepMode.TRANSACTION:
            with engine.begin() as connection:
                tables = files_of(connection)
                run(connection, statements)
                if not reverse:
                    assert strongest_lock(connection, list(tables)) == step.lock, step
                    written_anew = tables.items() - files_of(connection).items()
                    assert step.rewrites or step.destructive or not written_anew, step
        case StepMode.AUTOCOMMIT:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                run(connection, statements)
        case StepMode.BATCHES:
            (statement,) = statements
            changed = 1
            while changed:
                with engine.begin() as connection:
                    changed = connection.exec_driver_sql(statement, execution_options=OPTIONS).rowcount
        case StepMode.REBUILD:
            raise AssertionError("only SQLite rebuilds")


def run(connection: Connection, statements: Sequence[str]) -> None:
    for each in statements:
        assert each.strip() and not each.startswith("--") and not each.rstrip().endswith(";")
        connection.exec_driver_sql(each, execution_options=OPTIONS)


def files_of(connection: Connection) -> dict[int, int]:
    """The tables that others may be reading or writing, and the files in which their rows are."""
    known = connection.exec_driver_sql(
        "SELECT oid, relfilenode FROM pg_class WHERE relkind IN ('r', 'p') AND"
        " relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)')"
    )
    return {each.oid: each.relfilenode for each in known}


def strongest_lock(connection: Connection, tables: Sequence[int]) -> str:
    """The strongest lock that this transaction holds on one of *tables*; empty for one that hinders nobody."""
    held = connection.execute(
        text("SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = ANY (:tables)"),
        {"tables": list(tables)},
    ).scalars()
    modes = [each.removesuffix("Lock") for each in held]
    return max((each for each in modes if each in LOCKS), key=LOCKS.index, default="")
