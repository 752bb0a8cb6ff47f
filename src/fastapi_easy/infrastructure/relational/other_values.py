"""The texts of values that columns of a server hold and compare, though their kinds cannot (`Field.other_values`)."""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.relational import mysql_types, postgres_times
from fastapi_easy.infrastructure.relational.server import ServerName
from fastapi_easy.infrastructure.relational.unexpected_values import LONG_DECIMAL_TEXTS, NON_FINITE_TEXTS

OTHER_VALUES: Final[Mapping[ServerName, Mapping[Kind, str]]] = {
    "sqlite": {},
    "postgresql": {
        Kind.DATE: postgres_times.DATE_TEXTS,
        Kind.DATETIME: postgres_times.DATETIME_TEXTS,
        Kind.TIME: postgres_times.TIME_TEXTS,
        Kind.DURATION: postgres_times.DURATION_TEXTS,
        Kind.DECIMAL: f"{NON_FINITE_TEXTS}|{LONG_DECIMAL_TEXTS}",
        Kind.FLOAT: NON_FINITE_TEXTS,
    },
    "mysql": {
        Kind.DATE: mysql_types.DATE_TEXTS,
        Kind.DATETIME: mysql_types.DATETIME_TEXTS,
        Kind.TIME: mysql_types.TIME_TEXTS,
        Kind.DURATION: mysql_types.DATETIME_TEXTS,
        Kind.DECIMAL: LONG_DECIMAL_TEXTS,
        Kind.BOOLEAN: mysql_types.BOOLEAN_TEXTS,
    },
}
"""Regular expressions of whole texts."""
