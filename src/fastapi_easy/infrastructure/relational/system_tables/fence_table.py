"""The table of fences: the newest token that has written, for each name."""

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.types import String

FENCE: Final = Table(
    "fe_fence",
    MetaData(),
    Column("name", String().with_variant(VARBINARY(200), "mysql", "mariadb"), primary_key=True),
    Column("token", BigInteger, nullable=False),
    mysql_engine="InnoDB",
)
