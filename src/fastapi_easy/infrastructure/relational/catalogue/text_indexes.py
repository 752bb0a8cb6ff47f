"""The full-text indexes of a table that statements can use: those that are declared, and are there."""

from dataclasses import dataclass, field
from typing import Final, assert_never

from sqlalchemy import Connection, Table, text

from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.sqlite.text_index import TEXT_INDEXES, stored_text_indexes

_ON_MYSQL: Final = text(
    "SELECT column_name FROM information_schema.statistics WHERE index_type = 'FULLTEXT'"
    " AND table_schema = coalesce(:schema, database()) AND table_name = :table"
)
_RULES: Final = text(
    "SELECT @@innodb_ft_min_token_size, @@innodb_ft_max_token_size,"
    " @@innodb_ft_enable_stopword AND concat(coalesce(@@innodb_ft_server_stopword_table, ''),"
    " coalesce(@@innodb_ft_user_stopword_table, '')) <> ''"
)
_COMMON_WORDS: Final = frozenset(
    [
        *("a", "about", "an", "are", "as", "at", "be", "by", "com", "de", "en", "for"),
        *("from", "how", "i", "in", "is", "it", "la", "of", "on", "or", "that", "the"),
        *("this", "to", "und", "was", "what", "when", "where", "who", "will", "with", "www"),
    ]
)
"""What InnoDB leaves out of its indexes unless it is given another list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextIndexes:
    """The full-text indexes of one table.

    Attributes:
        names: Of those that are there; on MariaDB and MySQL of the columns that they are on.

        shortest, longest: The characters of words that are in them.

        left_out: The words that are not.
    """

    names: frozenset[str] = frozenset()
    shortest: int = 1
    longest: int = 1 << 20
    left_out: frozenset[str] = field(default_factory=frozenset)

    def holds(self, word: str) -> bool:
        """Return whether *word*, in lower case, can be found by them."""
        return self.shortest <= len(word) <= self.longest and word not in self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class TextIndex:
    """The full-text index that a resource declares.

    Attributes:
        name: Its name; on MariaDB and MySQL that of the generated column that it is on.

        key: The key, in SQLAlchemy's sense, of the one column of the primary key; empty where there are more.

        stored: Those of the table that are there.
    """

    name: str
    key: str
    stored: TextIndexes

    @property
    def is_there(self) -> bool:
        """Whether statements can name it."""
        return self.name in self.stored.names


def find_text_indexes(connection: Connection, server: Server, of: Table) -> TextIndexes:
    """Return the declared full-text indexes of *of* that the catalogue has now; without any it is not asked."""
    if not of.info.get(TEXT_INDEXES):
        return TextIndexes()
    match server.name:
        case "postgresql":
            # The server itself knows whether it has one for a condition.
            return TextIndexes()
        case "sqlite":
            return TextIndexes(names=stored_text_indexes(connection, of))
        case "mysql":
            found = connection.execute(_ON_MYSQL, {"schema": of.schema, "table": of.name}).scalars().all()
            shortest, longest, has_list = connection.execute(_RULES).one()
            # The words of a list of somebody's own are not known here.
            names = frozenset() if has_list else frozenset(found)
            return TextIndexes(
                names=names, shortest=int(shortest), longest=int(longest), left_out=_COMMON_WORDS
            )
        case _:
            assert_never(server.name)
