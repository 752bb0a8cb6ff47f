"""Full-text indexes of SQLite: an FTS5 table beside the table, which triggers keep up with its rows.

The index holds no text, only where words are, by the key of the row, which is one whole number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table

from fastapi_easy.domain.queries.words import words_of

TEXT_INDEXES: Final = "text_indexes"
"""The key in the `info` of a table of the names of its full-text indexes, on SQLite of the indexes themselves."""

PREFIX: Final = "fe_words_"
"""What the names of these tables and their triggers begin with."""

_OURS: Final = (
    "SELECT name, type, sql, tbl_name FROM sqlite_master WHERE name LIKE 'fe\\_words\\_%' ESCAPE '\\'"
    " AND (type = 'trigger' OR sql LIKE 'CREATE VIRTUAL%')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteTextIndex:
    """A full-text index of a table.

    Attributes:
        name: Of the FTS5 table.

        table: The name of the table.

        key: Its key.

        columns: The columns that are searched.
    """

    name: str
    table: str
    key: str
    columns: tuple[str, ...]

    @property
    def definitions(self) -> dict[str, str]:
        """The statements that create the FTS5 table and its triggers, by the names of what they create."""
        index, table, key = quoted(self.name), quoted(self.table), quoted(self.key)
        columns = ", ".join(map(quoted, self.columns))
        into = f"INSERT INTO {index} ("
        forget = f"{into}{index}, rowid, words) VALUES ('delete', old.{key}, {self._text('old.')});"
        remember = f"{into}rowid, words) VALUES (new.{key}, {self._text('new.')});"
        events = {
            "insert": ("INSERT", remember),
            "update": (f"UPDATE OF {columns}, {key}", f"{forget} {remember}"),
            "delete": ("DELETE", forget),
        }
        tokens = "unicode61 remove_diacritics 0 categories 'L* N* M*' tokenchars '_'"
        return {
            self.name: f"CREATE VIRTUAL TABLE {index} USING fts5(words, content='', tokenize=\"{tokens}\")",
            **{
                f"{self.name}_{event}": f"CREATE TRIGGER {quoted(f'{self.name}_{event}')}"
                f" AFTER {on} ON {table} BEGIN {body} END"
                for event, (on, body) in events.items()
            },
        }

    @property
    def filling(self) -> str:
        """The statement that takes in the rows that are there."""
        return (
            f"INSERT INTO {quoted(self.name)} (rowid, words)"  # noqa: S608 (names that the user has declared)
            f" SELECT {quoted(self.key)}, {self._text('')} FROM {quoted(self.table)}"
        )

    @property
    def creation(self) -> tuple[str, ...]:
        """The statements that create it, after what there may be of it."""
        name, *triggers = map(quoted, self.definitions)
        remains = (*(f"DROP TRIGGER IF EXISTS {each}" for each in triggers), f"DROP TABLE IF EXISTS {name}")
        return (*remains, *self.definitions.values(), self.filling)

    def _text(self, of: str) -> str:
        return " || ' ' || ".join(f"coalesce({of}{quoted(each)}, '')" for each in self.columns)


def quoted(name: str) -> str:
    """Return *name* as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text_indexes_of(table: Table) -> Sequence[SqliteTextIndex]:
    """Return the full-text indexes that are declared for *table*."""
    return tuple(each for each in table.info.get(TEXT_INDEXES, ()) if isinstance(each, SqliteTextIndex))


def stored_text_indexes(connection: Connection, table: Table) -> frozenset[str]:
    """Return the names of the declared full-text indexes of *table* that are there, as they are declared."""
    stored = {name: sql for name, _, sql, _ in _ours(connection)}
    return frozenset(each.name for each in text_indexes_of(table) if _is_whole(each, stored))


def create_text_indexes(connection: Connection, metadata: MetaData) -> None:
    """Create those that are declared and not there."""
    _, missing = compare_text_indexes(connection, metadata)
    for statement in (each for index in missing for each in index.creation):
        _ = connection.exec_driver_sql(statement)


def compare_text_indexes(
    connection: Connection, metadata: MetaData
) -> tuple[list[str], list[SqliteTextIndex]]:
    """Return the statements that drop what is not declared in *metadata*, and what is to be created.

    What belongs to tables that *metadata* does not have stays as it is.
    """
    declared = [each for table in metadata.tables.values() for each in text_indexes_of(table)]
    found = _ours(connection)
    stored = {name: sql for name, _, sql, _ in found}
    missing = [each for each in declared if not _is_whole(each, stored)]
    kept = {name for each in declared for name in each.definitions}
    elsewhere = {
        name.rpartition("_")[0]
        for name, kind, _, table in found
        if kind == "trigger" and table not in {each.name for each in metadata.tables.values()}
    }
    dropped = [
        f"DROP {'TRIGGER' if kind == 'trigger' else 'TABLE'} {quoted(name)}"
        for name, kind, _, _ in sorted(found, key=lambda each: str(each[1]), reverse=True)
        if name not in kept and name not in elsewhere and name.rpartition("_")[0] not in elsewhere
    ]
    return dropped, missing


def has_all_words(text: bytes | None, words: str) -> int:
    """Return whether *text* holds all *words*, which blanks divide: a function for SQL where there is no index."""
    # As bytes, because a text that is no UTF-8 would be an error before it is here.
    return int(set(words.split()) <= set(words_of((text or b"").decode(errors="replace"))))


def matched_words(words: Sequence[str]) -> str:
    """Return what is given to `MATCH` for texts that hold all *words*."""
    # In quotes nothing is an operator, and no word has a quote in it.
    return " ".join(f'"{each}"' for each in words)


def _ours(connection: Connection) -> list[Any]:
    return list(connection.exec_driver_sql(_OURS, execution_options={"no_parameters": True}).all())


def _is_whole(index: SqliteTextIndex, stored: dict[str, str]) -> bool:
    return all(stored.get(name) == sql for name, sql in index.definitions.items())
