"""Columns of tables that others made, with values that they wrote in every spelling the server accepts."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from fastapi_easy.infrastructure.relational.column_types import ColumnType


@dataclass(frozen=True)
class StoredColumn:
    """A column, as a class declares it and as the database has it."""

    declared: ColumnType
    stored: str
    written: tuple[str, ...]
    """Literals of SQL."""

    shown: tuple[Any, ...]
    """What answers have to show of each."""


def _of(declared: ColumnType, stored: str, values: dict[str, Any]) -> StoredColumn:
    return StoredColumn(declared, stored, tuple(values), tuple(values.values()))


_SINGLES: dict[str, Any] = {
    "0.15": 0.15,
    "0.1": 0.1,
    "9.8": 9.8,
    "-0.3": -0.3,
    "16777217": 16777216.0,
    "1234567.5": 1234567.5,
    "123456.789": 123456.79,
    "3.4e38": 3.4e38,
    "1e-45": 1e-45,
    "0.33333334": 0.33333334,
}
_NOT_FINITE = {"'NaN'": "NaN", "'infinity'": "Infinity", "'-infinity'": "-Infinity"}
_DATES = {
    "'infinity'": "infinity",
    "'-infinity'": "-infinity",
    "'0044-03-15 BC'": "0044-03-15 BC",
    "'0001-12-31 BC'": "0001-12-31 BC",
    "'4713-01-01 BC'": "4713-01-01 BC",
    "'12000-01-01'": "12000-01-01",
    "'5874897-12-31'": "5874897-12-31",
    "'9999-12-31'": "9999-12-31",
    "'0001-01-01'": "0001-01-01",
    "'2024-02-29'": "2024-02-29",
}
_MOMENTS = {
    "'infinity'": "infinity",
    "'-infinity'": "-infinity",
    "'0044-03-15 BC'": "0044-03-15 00:00:00 BC",
    "'12000-01-01 10:11:12.5'": "12000-01-01 10:11:12.5",
    "'294276-12-31'": "294276-12-31 00:00:00",
    "'9999-12-31 23:59:59.999999'": "9999-12-31T23:59:59.999999Z",
    "'0001-01-01'": "0001-01-01T00:00:00Z",
    "'2024-02-29 10:00:00.123'": "2024-02-29T10:00:00.123000Z",
}
_ZONED = {
    **{
        written: shown.replace(" BC", "+00 BC") if "BC" in shown else f"{shown}+00" if " " in shown else shown
        for written, shown in _MOMENTS.items()
    },
    "'2024-02-29 10:00:00+03'": "2024-02-29T07:00:00Z",
}
_CLOCKS_WITH_OFFSET = {
    "'24:00+02'": "24:00:00+02",
    "'24:00+00'": "24:00:00",
    "'23:59:59.999999+00'": "23:59:59.999999",
    "'00:00-11:30'": "00:00:00-11:30",
    "'10:00+02'": "10:00:00+02",
    "'08:00'": "08:00:00",
    "'10:00:00.5+05:30:15'": "10:00:00.5+05:30:15",
}

POSTGRES = (
    _of(sa.Date(), "date", _DATES),
    _of(sa.DateTime(timezone=True), "timestamptz", _ZONED),
    _of(sa.DateTime(), "timestamptz", _ZONED),
    _of(sa.DateTime(), "timestamp", _MOMENTS),
    _of(sa.DateTime(timezone=True), "timestamp", _MOMENTS),
    _of(sa.DateTime(), "timestamp(0)", {"'2024-02-29 10:00:00.6'": "2024-02-29T10:00:01Z"}),
    _of(
        sa.DateTime(),
        "date",
        {"'2024-02-29'": "2024-02-29T00:00:00Z", "'infinity'": "infinity", "'12000-01-01'": "12000-01-01"},
    ),
    _of(
        sa.Time(),
        "time",
        {
            "'24:00'": "24:00:00",
            "'23:59:60'": "24:00:00",
            "'23:59:59.999999'": "23:59:59.999999",
            "'10:00:00.05'": "10:00:00.050000",
        },
    ),
    _of(sa.Time(timezone=True), "timetz", _CLOCKS_WITH_OFFSET),
    _of(sa.Time(), "timetz", _CLOCKS_WITH_OFFSET),
    _of(
        sa.Interval(),
        "interval",
        {
            "'infinity'": "infinity",
            "'-infinity'": "-infinity",
            "'300000 years'": "300000 years",
            "'-178000000 years'": "-178000000 years",
            "'1 year -1 day'": "1 year -1 days",
            "'-1 year -2 mons 3 days -04:05:06.7'": "-1 years -2 mons +3 days -04:05:06.7",
            "'1 mon 2 days'": "P32D",
            "'2000000000 days'": "2000000000 days",
            "'-00:00:01'": "-PT1S",
            "'0'": "PT0S",
        },
    ),
    _of(
        sa.Numeric(),
        "numeric",
        {
            **_NOT_FINITE,
            "1.10": "1.10",
            "1e-20": "0.00000000000000000001",
            "123456789012345678901234567890.5": "123456789012345678901234567890.5",
        },
    ),
    _of(sa.Numeric(10, 2), "numeric(10,2)", {"'NaN'": "NaN", "1.005": "1.01", "99999999.99": "99999999.99"}),
    _of(
        sa.Numeric(10, 2),
        "double precision",
        {
            **_NOT_FINITE,
            "1.25": "1.25",
            "0.30000000000000004": "0.30000000000000004",
            "1e20": "100000000000000000000",
        },
    ),
    _of(sa.Numeric(10, 2), "real", {**_NOT_FINITE, "0.15": "0.15", "1234567.5": "1234567.5"}),
    _of(sa.Float(), "double precision", {**_NOT_FINITE, "0.1": 0.1, "1e308": 1e308, "5e-324": 5e-324}),
    _of(sa.Float(), "real", {**_NOT_FINITE, **_SINGLES}),
    _of(sa.REAL(), "real", {**_NOT_FINITE, **_SINGLES}),
    _of(sa.Float(24), "real", _SINGLES),
    _of(sa.REAL(), "double precision", {"0.15": 0.15, "0.30000000000000004": 0.30000000000000004}),
    _of(sa.REAL(), "numeric(10,3)", {"0.15": 0.15, "'NaN'": "NaN"}),
    _of(sa.Integer(), "numeric(10,0)", {"1": 1, "-2147483648": -2147483648}),
    _of(sa.String(), "char(5)", {"'ab'": "ab   ", "'AB'": "AB   ", "''": "     ", "'abcde'": "abcde"}),
    _of(sa.CHAR(5), "char(5)", {"'ab'": "ab   ", "'b'": "b    ", "'Z'": "Z    "}),
    _of(sa.String(), "varchar(5)", {"'ab'": "ab", "'ab  '": "ab  ", "''": "", "' '": " "}),
)
MARIADB = (
    _of(
        mysql.BIGINT(unsigned=True),
        "bigint unsigned",
        {
            "0": 0,
            "18446744073709551615": 18446744073709551615,
            "9223372036854775808": 9223372036854775808,
            "9007199254740993": 9007199254740993,
        },
    ),
    _of(
        sa.Date(),
        "date",
        {
            "'0000-00-00'": "0000-00-00",
            "'2024-00-00'": "2024-00-00",
            "'2024-02-00'": "2024-02-00",
            "'2024-00-10'": "2024-00-10",
            "'0000-01-01'": "0000-01-01",
            "'9999-12-31'": "9999-12-31",
            "'2024-02-29'": "2024-02-29",
        },
    ),
    _of(
        sa.DateTime(),
        "datetime(6)",
        {
            "'0000-00-00'": "0000-00-00 00:00:00.000000",
            "'2024-00-10 10:00:00.5'": "2024-00-10 10:00:00.500000",
            "'9999-12-31 23:59:59.999999'": "9999-12-31T23:59:59.999999Z",
        },
    ),
    _of(
        sa.DateTime(),
        "datetime",
        {"'0000-00-00'": "0000-00-00 00:00:00", "'2024-02-29 10:00:00.7'": "2024-02-29T10:00:00Z"},
    ),
    _of(
        sa.DateTime(),
        "timestamp null",
        {"'0000-00-00'": "0000-00-00 00:00:00", "'2024-02-29 10:00'": "2024-02-29T10:00:00Z"},
    ),
    _of(sa.DateTime(), "date", {"'2024-02-29'": "2024-02-29T00:00:00Z", "'2024-02-00'": "2024-02-00"}),
    _of(
        sa.Time(),
        "time(6)",
        {
            "'838:59:59'": "838:59:59",
            "'-838:59:59'": "-838:59:59",
            "'24:00:00'": "24:00:00",
            "'-00:00:01'": "-00:00:01",
            "'30:30:30.5'": "30:30:30.500000",
            "'10:00:00'": "10:00:00",
            "'23:59:59.999999'": "23:59:59.999999",
        },
    ),
    _of(sa.Time(), "time", {"'24:00:00'": "24:00:00", "'10:00:00.6'": "10:00:00"}),
    _of(sa.Interval(), "datetime(6)", {"'1970-01-02'": "P1D", "'0000-00-00'": "0000-00-00 00:00:00.000000"}),
    _of(sa.Float(), "float", _SINGLES),
    _of(sa.REAL(), "float", _SINGLES),
    _of(mysql.FLOAT(), "float", _SINGLES),
    _of(mysql.FLOAT(7, 3), "float(7,3)", {"0.15": 0.15, "1234.567": 1234.567}),
    _of(sa.Float(), "double", {"0.15": 0.15, "0.30000000000000004": 0.30000000000000004, "1e308": 1e308}),
    _of(sa.Numeric(10, 2), "float", {"0.15": "0.15", "1234567.5": "1234567.5"}),
    _of(sa.Numeric(10, 2), "double", {"0.15": "0.15", "0.30000000000000004": "0.30000000000000004"}),
    _of(sa.Numeric(10, 2), "decimal(10,2)", {"0.155": "0.16", "1.1": "1.10"}),
    _of(sa.Integer(), "decimal(10,0)", {"1": 1, "-2": -2}),
    _of(sa.Integer(), "year", {"0": 0, "2024": 2024}),
    _of(sa.String(5), "char(5)", {"'ab  '": "ab", "'AB'": "AB", "''": ""}),
    _of(
        sa.String(5),
        "varchar(5) collate utf8mb4_general_ci",
        {"'ab'": "ab", "'ab  '": "ab  ", "'AB'": "AB", "'á'": "á", "'a'": "a"},
    ),
)
TRUTHS = _of(sa.Boolean(), "tinyint", {"0": False, "1": True, "2": 2, "-1": -1})
BITS = _of(sa.Boolean(), "bit(1)", {"b'0'": False, "b'1'": True})
"""On MariaDB; truth values have no order."""
