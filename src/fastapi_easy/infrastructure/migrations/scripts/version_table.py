"""The table in which Alembic, and whoever uses it, looks for the revision of a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alembic.migration import MigrationContext
from alembic.operations.ops import CreateTableOp
from sqlalchemy import Connection, String, Table, inspect, select
from sqlalchemy.engine import Dialect

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.operations import Detected

NAME: Final = "alembic_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRevision:
    """What the table says.

    Attributes:
        exists: Whether there is such a table.

        revisions: Those in it; several for branches.
    """

    exists: bool
    revisions: tuple[str, ...] = ()


def read_revision(connection: Connection) -> RecordedRevision:
    """Return what the table says; one that is missing is not created."""
    if not inspect(connection).has_table(NAME):
        return RecordedRevision(exists=False)
    table = _table(connection.dialect)
    found = connection.execute(select(table.c.version_num)).scalars().all()
    return RecordedRevision(exists=True, revisions=tuple(sorted(map(str, found))))


def creation(dialect: Dialect) -> Detected:
    """Return what creates the table, as Alembic does."""
    change = Change(kind=ChangeKind.RECORD_REVISION, table=NAME, facts=Facts(new_table=True))
    return Detected(change=change, operation=CreateTableOp.from_table(_table(dialect)))


def recording(
    revision: str, before: str | None, dialect: Dialect, *, checksum: str = "", on_existing: bool = False
) -> Step:
    """Return the step that records *revision* after *before*; undoing it records *before* again.

    Args:
        revision: That of the script.

        before: That of the script before it; `None` for none.

        dialect: Of the database.

        checksum: Of the script; empty when nobody knows what has carried it out.

        on_existing: Tables were there before the first script.
    """
    new, old = (None if each is None else _literal(each, dialect) for each in (revision, before))
    facts = Facts(revision=revision, script_checksum=checksum, on_existing=on_existing)
    return Step(
        changes=(Change(kind=ChangeKind.RECORD_REVISION, table=NAME, name=revision, facts=facts),),
        summary=f"record revision {revision}",
        statements=(_moving(old, new),),
        reverse=(_moving(new, old),),
        reversibility=Reversibility.FULL,
    )


def moving(revision: str, recorded: Sequence[str], dialect: Dialect) -> str:
    """Return the statement that makes *revision* the only one in the table, which has *recorded* now."""
    old = _literal(recorded[0], dialect) if recorded else None
    return _moving(old, _literal(revision, dialect))


def _moving(old: str | None, new: str | None) -> str:
    # The very statements of Alembic's, which has no other rows in the table.
    if old is None:
        return f"INSERT INTO {NAME} (version_num) VALUES ({new})"  # noqa: S608 (literals)
    if new is None:
        return f"DELETE FROM {NAME} WHERE {NAME}.version_num = {old}"  # noqa: S608
    return f"UPDATE {NAME} SET version_num={new} WHERE {NAME}.version_num = {old}"  # noqa: S608


def _literal(text: str, dialect: Dialect) -> str:
    written: str = dialect.statement_compiler(dialect, None).render_literal_value(text, String())
    return written


def _table(dialect: Dialect) -> Table:
    context = MigrationContext.configure(dialect=dialect)
    return context.impl.version_table_impl(
        version_table=NAME, version_table_schema=None, version_table_pk=True
    )
