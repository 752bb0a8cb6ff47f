"""Whether a stored column is of the declared type, and the types of stored columns as SQLAlchemy's objects."""

import re
import warnings
from typing import Final

import sqlalchemy
from sqlalchemy import Connection
from sqlalchemy.exc import SAWarning
from sqlalchemy.types import NullType

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import ColumnShape
from fastapi_easy.infrastructure.relational.catalogue.type_families import family_of, stands_for
from fastapi_easy.infrastructure.relational.column_types import ColumnType, SpelledType
from fastapi_easy.infrastructure.relational.server import ServerName

_SQLITE_SYNONYMS: Final = {
    word: words[0]
    for words in (
        ("INTEGER", "INT"),
        ("DATETIME", "TIMESTAMP"),
        ("NUMERIC", "DECIMAL"),
        ("BOOLEAN", "BOOL"),
        ("TEXT", "CLOB"),
        ("FLOAT", "REAL", "DOUBLE", "DOUBLE PRECISION"),
    )
    for word in words
}
_MYSQL_WIDTH: Final = re.compile(r"\b(tinyint|smallint|mediumint|int|bigint)\(\d+\)")


class StoredTypes:
    """The types of stored columns as SQLAlchemy's objects, asked for where they are needed.

    Args:
        connection: Where the tables are.
    """

    def __init__(self, connection: Connection) -> None:
        self._inspector = sqlalchemy.inspect(connection)
        self._found: dict[tuple[str | None, str], dict[str, ColumnType]] = {}

    def type_of(self, schema: str | None, table: str, column: str, spelling: str) -> ColumnType:
        """Return the type of *column*, or one that is spelled like it."""
        if (schema, table) not in self._found:
            with warnings.catch_warnings():
                # That it does not know a type is not for the user to mend.
                warnings.simplefilter("ignore", SAWarning)
                columns = self._inspector.get_columns(table, schema=schema)
            self._found[schema, table] = {each["name"]: each["type"] for each in columns}
        found = self._found[schema, table].get(column)
        return SpelledType(spelling) if found is None or isinstance(found, NullType) else found


def is_same_type(stored: ColumnShape, declared: ColumnShape, server: ServerName) -> bool:
    """Return whether *stored* holds values as *declared* says, or in a way that is read just as well."""
    if declared.enumeration is not None or stored.enumeration is not None:
        is_array = stored.type.endswith("[]"), declared.type.endswith("[]")
        return stored.enumeration == declared.enumeration and is_array[0] == is_array[1]
    if normal_type(stored.type, server) == normal_type(declared.type, server):
        return True
    there, wanted = family_of(stored.type), family_of(declared.type)
    if there is None or wanted is None or there == wanted:
        return False
    return stands_for(there, wanted, server)


def normal_type(spelling: str, server: ServerName) -> str:
    """Return *spelling* without what makes no difference on *server*."""
    match server:
        case "postgresql":
            return spelling
        case "mysql":
            return _MYSQL_WIDTH.sub(r"\1", spelling)
        case "sqlite":
            word, parenthesis, rest = spelling.partition("(")
            arguments = parenthesis + rest.replace(" ", "")
            return _SQLITE_SYNONYMS.get(word.strip(), word.strip()) + arguments


def is_text(spelling: str) -> bool:
    """Return whether a column of the type *spelling* holds text."""
    return family_of(spelling) in {"text", None}
