"""Defaults that are MySQL's clock have the precision of our columns, as MySQL demands of them."""

import pytest
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, text
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.copies import TableCopies
from fastapi_easy.infrastructure.relational.server import Server

MARIADB = Server(dialect=mysql.dialect(), name="mysql", bytewise="utf8mb4_nopad_bin", folding=None)
NOW = "CURRENT_TIMESTAMP(6)"


@pytest.mark.parametrize(
    ("declared", "created"),
    [
        ("CURRENT_TIMESTAMP", NOW),
        ("now()", NOW),
        ("CURRENT_TIMESTAMP(3)", NOW),
        ("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", f"{NOW} ON UPDATE {NOW}"),
        ("current_timestamp(3)  on update current_timestamp(3)", f"{NOW} ON UPDATE {NOW}"),
        ("'2026-01-01'", "'2026-01-01'"),
        ("(CURRENT_TIMESTAMP + INTERVAL 1 DAY)", "(CURRENT_TIMESTAMP + INTERVAL 1 DAY)"),
    ],
)
def test_a_clock_has_the_precision_of_its_column(declared: str, created: str) -> None:
    moment = Column("moment", DateTime, server_default=text(declared), nullable=False)
    table = Table("clocked", MetaData(), Column("id", Integer, primary_key=True), moment)
    ddl = str(CreateTable(TableCopies(MARIADB).copy_of(table)).compile(dialect=mysql.dialect()))
    assert f"moment DATETIME(6) NOT NULL DEFAULT {created}" in ddl
