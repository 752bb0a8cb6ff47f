"""The statements that build a table anew and carry its rows over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.conversions import conversion
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.table_text import TableText
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import (
    TokenKind,
    fold,
    quote,
    split_tokens,
)
from fastapi_easy.infrastructure.migrations.relational.sqlite.scratch import Scratch, TableFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """One table that is built anew.

    Attributes:
        before: Its definition.

        after: Its new definition, under the same name.

        belonging: The texts of its indexes, then of its triggers, afterwards.

        kept: The columns whose values are carried over, by their names afterwards: those that were dropped and added
            again are not among them.

        fill: What rows get that have no value in a column: SQL expressions, by column.

        using: Expressions in the place of a conversion, by column.
    """

    before: TableText
    after: TableText
    belonging: tuple[str, ...]
    kept: frozenset[str]
    fill: Mapping[str, str] = field(default_factory=dict)
    using: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A column of the new table, and what is stored in it.

    Attributes:
        column: Its name.

        value: An expression.

        guard: A condition that is true for rows that must not be carried over; empty for none.

        complaint: What is said when there is such a row.
    """

    column: str
    value: str
    guard: str = ""
    complaint: str = ""


def rebuild_statements(scratch: Scratch, rebuild: Rebuild) -> tuple[str, ...]:
    """Return the statements that build a table anew.

    Whoever executes them has to switch `foreign_keys` off and `legacy_alter_table` on before the transaction: otherwise
    `DROP TABLE` deletes what refers to the rows, and the renaming looks for the table in every view. Before the commit
    there must be no more violations of foreign keys than there were at its beginning.

    Args:
        scratch: The schema in which the table stands.

        rebuild: What is built.
    """
    name = rebuild.before.name
    new_name = scratch.free_name(f"fe_new_{name}")
    created = rebuild.after.renamed(new_name)
    before = scratch.facts(rebuild.before)
    with scratch.trial():
        scratch.execute([created.text], rebuild=True)
        after = scratch.facts(created)
    copies = _copies(rebuild, before, after)
    order = f" ORDER BY {quote(name)}.{before.rowid}" if before.rowid else ""
    columns = ", ".join(each.column for each in copies)
    values = ", ".join(each.value for each in copies)
    return (
        *_guards(scratch, name, copies),
        created.text,
        # OR ABORT has precedence over what a constraint says: ON CONFLICT REPLACE and IGNORE would lose rows.
        f"INSERT OR ABORT INTO {quote(new_name)} ({columns}) SELECT {values} FROM {quote(name)}{order}",  # noqa: S608
        *_sequence(rebuild, name, new_name),
        f"DROP TABLE {quote(name)}",
        f"ALTER TABLE {quote(new_name)} RENAME TO {quote(name)}",
        *rebuild.belonging,
        *([f"ANALYZE {quote(name)}"] if scratch.has_statistics else []),
    )


def _copies(rebuild: Rebuild, before: TableFacts, after: TableFacts) -> list[_Copy]:
    copies = [
        found for column in after.columns if (found := _copy_of(rebuild, before, after, column)) is not None
    ]
    if after.rowid and after.alias is None and before.rowid:
        copies.insert(0, _Copy(column=after.rowid, value=f"{quote(rebuild.before.name)}.{before.rowid}"))
    if not copies:
        copies.append(_Copy(column=quote(after.columns[0]), value="NULL"))
    return copies


def _copy_of(rebuild: Rebuild, before: TableFacts, after: TableFacts, column: str) -> _Copy | None:
    table = quote(rebuild.before.name)
    is_alias = after.alias is not None and fold(after.alias) == fold(column)
    fill = rebuild.fill.get(fold(column))
    old = rebuild.before.column(column) if fold(column) in rebuild.kept else None
    if old is None:
        if fill is not None:
            return _Copy(column=quote(column), value=f"({fill})")
        if is_alias and before.rowid:
            return _Copy(column=quote(column), value=f"{table}.{before.rowid}")
        # SQLite stores the default.
        return None
    stored = f"{table}.{quote(old.name)}"
    new = rebuild.after.column(column)
    using = rebuild.using.get(fold(column))
    found = conversion(stored, old.type, new.type if new else "")
    value = found.expression if using is None else f"({using})"
    guard = (
        f"{stored} IS NOT NULL AND NOT coalesce({found.holds}, 0)" if found.holds and using is None else ""
    )
    if fill is not None:
        value = f"coalesce({value}, {fill})"
    elif is_alias and before.alias is None:
        # SQLite numbers the rows that have no number, which nobody has asked for.
        guard = " OR ".join(part for part in (f"{stored} IS NULL", guard and f"({guard})") if part)
    return _Copy(
        column=quote(column),
        value=value,
        guard=guard,
        complaint=f"every value of {old.name} fits {new.type if new else ''}".strip(),
    )


def _guards(scratch: Scratch, name: str, copies: Sequence[_Copy]) -> list[str]:
    """Return statements that fail when a value would be lost, and say which column has it."""
    guarded = [each for each in copies if each.guard]
    if not guarded:
        return []
    checks = quote(scratch.free_name(f"fe_check_{name}"))
    columns = ", ".join(
        f'"{number}" CONSTRAINT {quote(each.complaint)} CHECK ("{number}" = 0)'
        for number, each in enumerate(guarded)
    )
    found = ", ".join(
        f"EXISTS (SELECT 1 FROM {quote(name)} WHERE {each.guard})"  # noqa: S608 (quoted names)
        for each in guarded
    )
    return [
        f"CREATE TABLE {checks} ({columns})",
        f"INSERT INTO {checks} SELECT {found}",
        f"DROP TABLE {checks}",
    ]


def _sequence(rebuild: Rebuild, name: str, new_name: str) -> list[str]:
    """Return statements that keep the highest key ever given, so that none is given twice."""
    if not (_is_numbered(rebuild.before) and _is_numbered(rebuild.after)):
        return []
    old, new = (each.replace("'", "''") for each in (name, new_name))
    return [
        f"DELETE FROM sqlite_sequence WHERE name = '{new}'",  # noqa: S608 (quoted)
        f"INSERT INTO sqlite_sequence (name, seq) SELECT '{new}', seq FROM sqlite_sequence WHERE name = '{old}'",  # noqa: S608
    ]


def _is_numbered(table: TableText) -> bool:
    return any(
        token.word == "AUTOINCREMENT" and token.kind is TokenKind.WORD
        for _, each in table.constraints()
        if each.kind == "primary key"
        for token in split_tokens(each.text)
    )
