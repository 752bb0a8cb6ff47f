"""The full-text index of a table: what the declaration of its resource adds to our copy of it.

PostgreSQL gets an index over an expression, MariaDB and MySQL a generated column with a FULLTEXT index, since their
columns tell capitals apart, SQLite an FTS5 table.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, assert_never

from sqlalchemy import (
    Column,
    ColumnElement,
    Computed,
    Index,
    Integer,
    Table,
    Text,
    cast,
    func,
    literal_column,
)
from sqlalchemy.dialects import mysql

from fastapi_easy.domain.queries.words import FINAL_SIGMA, SIGMA
from fastapi_easy.domain.resources.options import FullText
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import VIEW
from fastapi_easy.infrastructure.relational.column_types import OWN_COLUMN
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.sqlite.text_index import PREFIX, TEXT_INDEXES, SqliteTextIndex

MAX_NAME_LENGTH: Final = 60
"""Characters in the name of an index; PostgreSQL allows 63."""

_JOINED: Final = "-./:@<>&+~#"
"""What PostgreSQL takes for a part of numbers, addresses, paths and tags, not for what stands between two words."""

_PUNCTUATION: Final = (
    "".join(
        chr(code)
        for start, end in ((0xA0, 0xA9), (0xAB, 0xB1), (0x2010, 0x2027), (0x3000, 0x3003), (0x3008, 0x3011))
        for code in range(start, end + 1)
    )
    + "\u00b4\u00b6\u00b7\u00b8\u00bb\u00bf\u00d7\u00f7\u200b\u2039\u203a\uff01\uff0c\uff1f"
)
"""What else divides words. A database whose rules are those of ASCII takes it for letters."""

_STAND_INS: Final = {"_": "\ua000", "\u0130": "\ua001"}
"""Letters of a rare script, without capitals, for what stores do not agree about.

By the underscore PostgreSQL divides words, and of a capital i with a dot some collations make two characters.
"""


def declare_text_index(
    table: Table, declared: FullText, columns: Sequence[Column[Any]], server: Server
) -> None:
    """Add the index that *declared* needs to *table*, our own copy, unless it is a view. Twice does nothing.

    Args:
        table: The copy.

        declared: What is searched.

        columns: The columns of its fields.

        server: The server of the table.
    """
    name = text_index_name(table, declared, columns)
    known = table.info.setdefault(TEXT_INDEXES, [])
    if table.info.get(VIEW) or any(name in {each, getattr(each, "name", None)} for each in known):
        return
    match server.name:
        case "postgresql":
            _ = Index(
                name, search_vector(columns, declared.language, server), postgresql_using="gin", _table=table
            )
        case "mysql":
            computed = Computed(lower_text(columns, server), persisted=True)
            type_ = mysql.LONGTEXT(collation=server.bytewise)
            column: Column[Any] = Column(name, type_, computed, info={OWN_COLUMN: True})
            table.append_column(column)
            _ = Index(f"ix_{name}", column, mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT")
        case "sqlite":
            key = list(table.primary_key.columns)
            if len(key) != 1 or not isinstance(key[0].type, Integer) or table.schema is not None:
                return
            names = tuple(each.name for each in columns)
            known.append(SqliteTextIndex(name=name, table=table.name, key=key[0].name, columns=names))
            return
        case _:
            assert_never(server.name)
    known.append(name)


def text_index_name(table: Table, declared: FullText, columns: Sequence[Column[Any]]) -> str:
    """Return the name of the index of *columns*; on MariaDB and MySQL that of the generated column."""
    parts = [table.name, *(each.name for each in columns)]
    name = PREFIX + "_".join(parts if declared.language is None else [*parts, declared.language])
    if len(name) <= MAX_NAME_LENGTH - len("ix_"):
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: MAX_NAME_LENGTH - len('ix_') - len(digest) - 1]}_{digest}"


def search_vector(
    columns: Sequence[ColumnElement[Any]], language: str | None, server: Server
) -> ColumnElement[Any]:
    """Return what PostgreSQL's index is over, and conditions have to ask in the very same words."""
    texts = [func.coalesce(cast(each, Text), literal_column("''")) for each in columns]
    joined: ColumnElement[Any] = texts[0]
    for each in texts[1:]:
        joined = joined.op("||")(literal_column("' '")).op("||")(each)
    # As literals, since an index serves no condition with parameters in its place.
    is_ascii = server.bytewise is None
    divides = _JOINED + _PUNCTUATION if is_ascii else _JOINED
    # The capital sigma too, of which some collations make the small one at the end of a word.
    before = divides + SIGMA.upper() + FINAL_SIGMA + "".join(_STAND_INS)
    instead = " " * len(divides) + SIGMA + SIGMA + "".join(_STAND_INS.values())
    text = func.translate(joined, literal_column(f"'{before}'"), literal_column(f"'{instead}'"))
    if is_ascii and server.folding is not None:
        text = func.lower(text.collate(server.folding))
    return func.to_tsvector(configuration(language), text)


def word_in_index(word: str) -> str:
    """Return *word* as it is in what PostgreSQL, MariaDB and MySQL search."""
    for letter, other in _STAND_INS.items():
        word = word.replace(letter, other)
    return word


def configuration(language: str | None) -> ColumnElement[Any]:
    """Return the text search configuration of *language*."""
    return literal_column(f"CAST('{language or 'simple'}' AS regconfig)")


def lower_text(columns: Sequence[ColumnElement[Any]], server: Server) -> ColumnElement[Any]:
    """Return the text of *columns* in lower case, on MariaDB and MySQL."""
    # CONVERT, because a collation belongs to a character set and a column may have another one.
    texts = [func.convert(each.op("USING")(literal_column("utf8mb4"))) for each in columns]
    alike = [each.collate(str(server.bytewise)) for each in texts]
    text: ColumnElement[Any] = func.concat_ws(literal_column("' '"), *alike)
    for letter, other in {FINAL_SIGMA: SIGMA, **_STAND_INS}.items():
        text = func.replace(text, literal_column(f"'{letter}'"), literal_column(f"'{other}'"))
    return func.lower(text if server.folding is None else text.collate(server.folding))
