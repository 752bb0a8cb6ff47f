"""Columns of types that only servers know, with values that others wrote, and what is offered of each."""

import enum
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import UserDefinedType

from fastapi_easy.infrastructure.relational.column_types import ColumnType
from tests.e2e.stored_columns import StoredColumn


class XML(UserDefinedType[str]):
    """What PostgreSQL calls XML, and SQLAlchemy has no class for."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Spell it."""
        return "XML"


class Mood(enum.Enum):
    """What is stored by its names."""

    SAD = "low"
    HAPPY = "high"


@dataclass(frozen=True)
class ServerColumn(StoredColumn):
    """A column, and what callers can do with it.

    `sorts` says the places of the values in order; `None` where nobody can sort by them.
    """

    refused: tuple[Any, ...] = ()
    finds: bool = True
    sorts: tuple[int, ...] | None = None


def _of(declared: ColumnType, stored: str, values: dict[str, Any], **offered: Any) -> ServerColumn:
    return ServerColumn(declared, stored, tuple(values), tuple(values.values()), **offered)


_MOODS = postgresql.ENUM(Mood, name="mood", create_type=False)

POSTGRES_SETUP = (
    "DROP TABLE IF EXISTS stored",
    "DROP TYPE IF EXISTS mood",
    "CREATE TYPE mood AS ENUM ('SAD', 'HAPPY')",
    "DROP DOMAIN IF EXISTS sold_year",
    "CREATE DOMAIN sold_year AS integer CHECK (value BETWEEN 1901 AND 2155)",
)
POSTGRES = (
    _of(
        postgresql.INET(),
        "inet",
        {
            "'10.0.0.9'": "10.0.0.9",
            "'10.0.0.10'": "10.0.0.10",
            "'10.0.0.0/8'": "10.0.0.0/8",
            "'::1'": "::1",
            "'2001:db8::1/64'": "2001:db8::1/64",
        },
        refused=("10.0.0", "10.0.0.1/33", "fe80::1%eth0", "", 1),
        sorts=(2, 0, 1, 3, 4),
    ),
    _of(
        postgresql.CIDR(),
        "cidr",
        {"'10.0.0.0/8'": "10.0.0.0/8", "'9.0.0.0/16'": "9.0.0.0/16", "'10.1.2.3'": "10.1.2.3/32"},
        refused=("10.0.0.1/8",),
        sorts=(1, 0, 2),
    ),
    _of(
        postgresql.MACADDR(),
        "macaddr",
        {
            "'08:00:2b:01:02:03'": "08:00:2b:01:02:03",
            "'08002B010204'": "08:00:2b:01:02:04",
            "'ff-00-00-00-00-00'": "ff:00:00:00:00:00",
        },
        refused=("08:00:2b",),
        sorts=(0, 1, 2),
    ),
    _of(
        postgresql.MACADDR8(),
        "macaddr8",
        {"'08:00:2b:01:02:03:04:05'": "08:00:2b:01:02:03:04:05"},
        sorts=(0,),
    ),
    _of(
        postgresql.INT4RANGE(),
        "int4range",
        {"'[1,5]'": "[1,6)", "'empty'": "empty", "'(,3)'": "(,3)"},
        refused=("[5,1]", "1-5"),
    ),
    _of(postgresql.TSTZRANGE(), "tstzrange", {"'(,)'": "(,)"}),
    _of(postgresql.DATERANGE(), "daterange", {"'[2024-01-01,2024-02-01)'": "[2024-01-01,2024-02-01)"}),
    _of(postgresql.NUMRANGE(), "numrange", {"'[1.5,2.50)'": "[1.5,2.50)"}),
    _of(postgresql.INT4MULTIRANGE(), "int4multirange", {"'{[1,3),[5,7)}'": "{[1,3),[5,7)}"}),
    _of(
        postgresql.BIT(4), "bit(4)", {"B'1010'": "1010", "B'0001'": "0001"}, refused=("101", "10101", "1012")
    ),
    _of(
        postgresql.BIT(8, varying=True),
        "varbit(8)",
        {"B'101'": "101", "B''": "", "B'11111111'": "11111111"},
        refused=("111111111", "2"),
    ),
    _of(
        postgresql.MONEY(),
        "money",
        {
            "9.50": "9.50",
            "10": "10.00",
            "-1234567.89": "-1234567.89",
            "92233720368547758.07": "92233720368547758.07",
        },
        refused=("1.005", "$1.00"),
        sorts=(2, 0, 1, 3),
    ),
    _of(postgresql.TSQUERY(), "tsquery", {"'cat & dog'": "'cat' & 'dog'"}),
    _of(
        postgresql.ARRAY(sa.Integer, dimensions=2),
        "integer[][]",
        {"'{{1,2},{3,NULL}}'": "{{1,2},{3,NULL}}", "'{}'": "{}"},
        refused=("{{1,2},{3}}",),
    ),
    _of(
        postgresql.ARRAY(_MOODS),
        "mood[]",
        {"'{SAD,HAPPY}'": ["SAD", "HAPPY"], "'{}'": []},
        refused=(["low"], ["SAD", 1]),
        finds=False,
    ),
    _of(
        postgresql.ARRAY(postgresql.INET),
        "inet[]",
        {"'{10.0.0.1,::1/64}'": ["10.0.0.1/32", "::1/64"]},
        finds=False,
    ),
    _of(
        postgresql.DOMAIN("sold_year", sa.Integer(), create_type=False),
        "sold_year",
        {"1999": 1999, "2006": 2006},
        sorts=(0, 1),
    ),
)
MARIADB = (
    _of(
        mysql.YEAR(), "year", {"2024": 2024, "0": 0, "1901": 1901}, refused=(70, 1900, 2156), sorts=(1, 2, 0)
    ),
    _of(mysql.BIT(5), "bit(5)", {"b'101'": 5, "b'11111'": 31, "b'0'": 0}, refused=(32, -1), sorts=(2, 0, 1)),
    _of(mysql.BIT(64), "bit(64)", {f"b'{'1' * 64}'": 2**64 - 1, "b'1'": 1}, sorts=(1, 0)),
    _of(
        mysql.SET("b", "a", "long one"),
        "set('b','a','long one')",
        {"'a,b'": "b,a", "''": "", "'long one'": "long one", "'a'": "a"},
        refused=("c", "a,c"),
        sorts=(1, 3, 0, 2),
    ),
)
OPTIONAL = (
    (
        "SELECT 1 FROM pg_available_extensions WHERE name = 'hstore'",
        ("CREATE EXTENSION IF NOT EXISTS hstore",),
        _of(
            postgresql.HSTORE(),
            "hstore",
            {
                "'a=>1, b=>NULL'": '"a"=>"1", "b"=>NULL',
                "''": "",
                """'"a, b"=>"x\\\\"=>y", "é"=>""'""": '"é"=>"", "a, b"=>"x\\\\"=>y"',
            },
            refused=("a", '"a"=>', 1, {"a": "1"}),
        ),
    ),
    (
        "SELECT 1 FROM pg_config() WHERE name = 'CONFIGURE' AND setting LIKE '%%with-libxml%%'",
        (),
        _of(
            XML(),
            "xml",
            {
                "'<a>1</a>'": "<a>1</a>",
                "'text'": "text",
                """'<?xml version="1.0" encoding="UTF-8"?><a b="1">é&amp;<c/></a>'""": '<a b="1">é&amp;<c/></a>',
            },
            refused=("<a>", "<a></b>", 1),
            finds=False,
        ),
    ),
)
"""Types that a PostgreSQL may lack, with what has a row where it has them, and what prepares them."""
