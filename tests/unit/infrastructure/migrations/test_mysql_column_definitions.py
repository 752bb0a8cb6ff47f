"""Definitions of columns as MySQL and MariaDB show them, taken apart and put together."""

import pytest

from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.column_definition import (
    ColumnDefinition,
    read_definition,
    without_own_check,
)
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import key_columns, read_table

DEFINITIONS = {
    "int(11) NOT NULL AUTO_INCREMENT": ColumnDefinition(type="int(11)", nullable=False, auto_increment=True),
    "int(10) unsigned zerofill DEFAULT NULL": ColumnDefinition(type="int(10) unsigned zerofill"),
    "varchar(20) NOT NULL DEFAULT 'x NOT NULL' COMMENT 'it''s; DEFAULT 1'": ColumnDefinition(
        type="varchar(20)", nullable=False, default="'x NOT NULL'", comment="'it''s; DEFAULT 1'"
    ),
    "enum('a b','NULL','it''s') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'a b'": ColumnDefinition(
        type="enum('a b','NULL','it''s') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", default="'a b'"
    ),
    "timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()": ColumnDefinition(
        type="timestamp", default="current_timestamp()", on_update="ON UPDATE current_timestamp()"
    ),
    "int(11) GENERATED ALWAYS AS (`a b` + (1 * 2)) STORED COMMENT 'x'": ColumnDefinition(
        type="int(11)", generated="GENERATED ALWAYS AS (`a b` + (1 * 2)) STORED", comment="'x'"
    ),
    "int GENERATED ALWAYS AS ((`NOT NULL` + 1)) VIRTUAL NOT NULL": ColumnDefinition(
        type="int", generated="GENERATED ALWAYS AS ((`NOT NULL` + 1)) VIRTUAL", nullable=False
    ),
    "longtext DEFAULT NULL CHECK (json_valid(`body`))": ColumnDefinition(
        type="longtext", rest="CHECK (json_valid(`body`))"
    ),
    "binary(16) NOT NULL DEFAULT (uuid_to_bin(uuid()))": ColumnDefinition(
        type="binary(16)", nullable=False, default="(uuid_to_bin(uuid()))"
    ),
    "int DEFAULT NULL /*!80023 INVISIBLE */": ColumnDefinition(type="int", rest="/*!80023 INVISIBLE */"),
    "bit(1) DEFAULT b'0'": ColumnDefinition(type="bit(1)", default="b'0'"),
}


@pytest.mark.parametrize("text", DEFINITIONS)
def test_takes_a_definition_apart(text: str) -> None:
    assert read_definition(text) == DEFINITIONS[text]


@pytest.mark.parametrize("text", DEFINITIONS)
def test_puts_together_what_means_the_same(text: str) -> None:
    assert read_definition(str(read_definition(text))) == DEFINITIONS[text]


def test_leaves_the_check_out_that_comes_with_the_type() -> None:
    definition = read_definition("longtext CHECK (json_valid(`a``b`)) CHECK (length(`a``b`) > 1)")

    assert without_own_check(definition) == "CHECK (length(`a``b`) > 1)"


def test_reads_a_table_line_by_line() -> None:
    table = read_table(
        "CREATE TABLE `t` (\n"
        "  `a (b)` int(11) NOT NULL COMMENT 'x,',\n"
        "  `c` int(11) DEFAULT NULL,\n"
        "  PRIMARY KEY (`a (b)`),\n"
        "  UNIQUE KEY `uq (1)` (`c`(5) DESC,`a (b)`) USING BTREE,\n"
        "  FULLTEXT KEY `words` (`c`),\n"
        "  CONSTRAINT `fk` FOREIGN KEY (`c`) REFERENCES `p` (`id`) ON DELETE CASCADE,\n"
        "  CONSTRAINT `ck` CHECK (`c` > 0)\n"
        ") ENGINE=InnoDB"
    )

    assert table.columns == {"a (b)": "int(11) NOT NULL COMMENT 'x,'", "c": "int(11) DEFAULT NULL"}
    assert table.primary_key == "PRIMARY KEY (`a (b)`)"
    assert {name: key_columns(line) for name, line in table.keys.items()} == {
        "uq (1)": ("c", "a (b)"),
        "words": ("c",),
    }
    assert {name: key_columns(line) for name, line in table.references.items()} == {"fk": ("c",)}
    assert table.checks == {"ck": "CONSTRAINT `ck` CHECK (`c` > 0)"}
    assert "`fk`" not in table.without_references({"fk"})
    assert table.without_references(set()) == table.text
