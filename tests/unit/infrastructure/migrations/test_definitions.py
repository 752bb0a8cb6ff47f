"""Definitions of MySQL and SQLite, taken apart."""

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.mysql import parse_table
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import (
    CheckShape,
    ColumnShape,
    IndexShape,
    KeyShape,
    ReferenceShape,
    TableShape,
)
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sqlite_definition import (
    SqliteDefinition,
    read_definition,
)

MYSQL_8 = r"""CREATE TABLE `ch` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `a` varchar(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL DEFAULT 'it''s, (x)' COMMENT 'co, m''m) ent',
  `d` datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  `e` timestamp NULL DEFAULT NULL,
  `en` enum('a','b,c','d''e') DEFAULT (_utf8mb4'a'),
  `g` int GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL,
  `i` int DEFAULT NULL /*!80023 INVISIBLE */,
  `p` double precision DEFAULT '1.5',
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq` (`a`),
  KEY `ix` (`a`(5),`id` DESC) USING BTREE,
  KEY `low` ((lower(`a`))),
  FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */ ,
  CONSTRAINT `fk` FOREIGN KEY (`i`, `p`) REFERENCES `other`.`t` (`x`, `y`) ON DELETE SET NULL ON UPDATE RESTRICT,
  CONSTRAINT `ck` CHECK (((`i` > 0) and (`a` <> _utf8mb4',)'))) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=12 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='all, of (it'
/*!50100 PARTITION BY HASH (`id`) PARTITIONS 4 */"""


def test_a_definition_of_mysql_is_taken_apart() -> None:
    assert parse_table("ch", MYSQL_8) == TableShape(
        name="ch",
        columns={
            each.name: each
            for each in (
                ColumnShape(name="id", type="bigint unsigned", nullable=False, numbering="auto_increment"),
                ColumnShape(
                    name="a",
                    type="varchar(10)",
                    nullable=False,
                    default="'it''s, (x)'",
                    collation="latin1_swedish_ci",
                    comment="co, m'm) ent",
                ),
                ColumnShape(
                    name="d",
                    type="datetime(6)",
                    default="CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
                ),
                ColumnShape(name="e", type="timestamp"),
                ColumnShape(name="en", type="enum('a','b,c','d''e')", default="(_utf8mb4'a')"),
                ColumnShape(name="g", type="int", computed="(`id` + 1)"),
                ColumnShape(name="i", type="int"),
                ColumnShape(name="p", type="double precision", default="'1.5'"),
            )
        },
        key=KeyShape(name=None, columns=("id",)),
        indexes=(
            IndexShape(name="uq", elements=("a",), columns=("a",), unique=True),
            IndexShape(name="ix", elements=("a(5)", "id DESC"), columns=("a", "id")),
            IndexShape(name="low", elements=("(lower(`a`))",)),
            IndexShape(name="ft", elements=("a",), columns=("a",), method="fulltext"),
        ),
        checks=(CheckShape(name="ck", expression="((`i` > 0) and (`a` <> _utf8mb4',)'))", valid=False),),
        references=(
            ReferenceShape(
                name="fk", columns=("i", "p"), table="other.t", referred=("x", "y"), on_delete="SET NULL"
            ),
        ),
        comment="all, of (it",
        collation="utf8mb4_0900_ai_ci",
    )


def test_a_definition_of_sqlite_is_taken_apart() -> None:
    text = """CREATE TABLE "t" ( -- what, (it is
      id INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT,
      [a b] TEXT COLLATE NOCASE DEFAULT ('CHECK (x)') CHECK (length([a b]) > 1) UNIQUE,
      c INT GENERATED ALWAYS AS (id + 1) STORED CONSTRAINT positive CHECK (c > 0),
      "check" INT REFERENCES other (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
      CONSTRAINT two UNIQUE (id, c),
      CHECK ("check" > 1),
      CONSTRAINT fk FOREIGN KEY (id, c) REFERENCES other (a, b) NOT DEFERRABLE
    ) STRICT"""

    assert read_definition(text) == SqliteDefinition(
        checks=(
            CheckShape(name=None, expression="length([a b]) > 1", column="a b"),
            CheckShape(name="positive", expression="c > 0", column="c"),
            CheckShape(name=None, expression='"check" > 1'),
        ),
        computed={"c": "id + 1"},
        collations={"a b": "NOCASE"},
        names={("key", ("id",)): "pk", ("unique", ("id", "c")): "two", ("reference", ("id", "c")): "fk"},
        reference_options={("check",): ("deferrable", "initially deferred")},
        autoincrement=True,
    )
