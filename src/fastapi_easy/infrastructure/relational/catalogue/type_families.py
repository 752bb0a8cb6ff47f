"""Which kinds of values the types of servers hold, and which of them are read in place of others."""

from collections.abc import Mapping
from typing import Final

_FAMILIES: Final[Mapping[str, str]] = {
    type_name: family
    for family, words in {
        "text": "VARCHAR CHAR TEXT TINYTEXT MEDIUMTEXT LONGTEXT CHARACTER NVARCHAR CLOB ENUM SET",
        "whole number": "INTEGER INT BIGINT SMALLINT TINYINT MEDIUMINT",
        "fraction": "NUMERIC DECIMAL FLOAT DOUBLE REAL",
        "truth value": "BOOLEAN BOOL",
        "time": "TIMESTAMP DATETIME",
        "date": "DATE",
        "time of day": "TIME",
        "duration": "INTERVAL",
        "bytes": "BLOB BYTEA TINYBLOB MEDIUMBLOB LONGBLOB VARBINARY BINARY",
        "UUID": "UUID",
        "JSON": "JSON JSONB",
    }.items()
    for type_name in words.split()
}

_EQUIVALENT_TYPES: Final = frozenset(
    {
        # A database without the first type stores it as the second.
        ("sqlite", "truth value", "whole number"),
        ("sqlite", "fraction", "text"),
        ("mysql", "truth value", "whole number"),
        ("mysql", "JSON", "text"),
        ("mysql", "text", "UUID"),
        ("sqlite", "JSON", "text"),
        ("sqlite", "text", "UUID"),
    }
)


def family_of(written: str) -> str | None:
    """Return the kind of values of the type that is *written* like that; `None` for one that nothing is known of."""
    type_name = written.replace("(", " ").split(" ")[0].upper()
    return "array" if written.endswith("[]") else _FAMILIES.get(type_name)


def stands_for(stored: str, declared: str, dialect: str) -> bool:
    """Return whether values of the family *declared* are read from a column of the family *stored*."""
    return (
        stored == declared
        or ("mysql" if dialect == "mariadb" else dialect, declared, stored) in _EQUIVALENT_TYPES
    )
