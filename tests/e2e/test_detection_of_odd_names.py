"""Names and texts that need quoting: what is created as declared does not differ, and what does can be changed."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Computed,
    Connection,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from tests.e2e.carrying_out import carry_out, clear
from tests.e2e.schema_edits import ALL
from tests.e2e.scratch_engines import ScratchEngines

ODD = {
    "capitals": "OrderLine",
    "keyword": "select",
    "quote": 'say "x"',
    "backtick": "tick`ed",
    "apostrophe": "it's",
    "percent of a driver": "100%s",
    "colon": "a:b",
    "letters of others": "straße_数",
    "long": "a" * 50,
}
"""Without dots, which separate what changes name."""


@pytest.fixture(scope="module")
def databases() -> Iterator[ScratchEngines]:
    """A database on each server."""
    with ExitStack() as opened:
        yield ScratchEngines(opened)


def odd_schema(name: str, *, more: bool) -> MetaData:
    """A schema in which everything is called like that."""
    metadata = MetaData()
    parts: list[Any] = [Column("extra", Integer, server_default="7")] if more else []
    quoted = sqlalchemy.column(name)
    table = Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column(name, String(30 if more else 20), server_default=name[:20], comment=f"about {name}"),
        Column(f"{name}_2", Integer),
        *parts,
        CheckConstraint(quoted != name[:10], name=f"ck_{name}"),
        UniqueConstraint(f"{name}_2", name=f"uq_{name}"),
        comment=f"all about {name}",
    )
    _ = Index(f"ix_{name}", table.columns[name], table.columns["id"].desc())
    _ = Table(
        f"{name}_other",
        metadata,
        Column("id", Integer, primary_key=True),
        Column(f"{name}_id", ForeignKey(table.columns["id"], name=f"fk_{name}")),
    )
    return metadata


def find(connection: Connection, metadata: MetaData) -> list[Any]:
    """What is detected."""
    return detect(connection, DeclaredTables(metadata=metadata), Hints(), ())


@pytest.mark.parametrize("spoken", ODD)
@pytest.mark.parametrize("server", ALL)
def test_odd_names_are_compared(databases: ScratchEngines, server: str, spoken: str) -> None:
    name = ODD[spoken]
    if server == "mariadb" and "%" in name:
        pytest.skip("SQLAlchemy does not create it")
    with databases[server].connect() as connection:
        clear(connection)
        odd_schema(name, more=False).create_all(connection)
        connection.commit()

        same = find(connection, odd_schema(name, more=False))
        found = find(connection, odd_schema(name, more=True))

        kinds = [(str(each.change.kind), each.change.table, each.change.name) for each in found]
        carry_out(connection, found, odd_schema(name, more=True))
        left = find(connection, odd_schema(name, more=True))
    assert (same, kinds, left) == ([], [("add_column", name, "extra"), ("change_type", name, name)], [])


def texts_schema() -> MetaData:
    """Defaults, checks and expressions with texts that look like something else."""
    metadata = MetaData()
    _ = Table(
        "texts",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("quoted", String(40), server_default="it's 'so'"),
        Column("percent", String(40), server_default="50% of %s"),
        Column("colon", String(40), server_default="a:b ::c"),
        Column("number", String(40), server_default="1.0"),
        Column("empty", String(40), server_default=""),
        Column("null", String(40), server_default="NULL"),
        Column("negative", Integer, server_default=text("-1")),
        Column("kind", Enum("a,b", "c(d)", "e'f", name="kind_of_text", create_constraint=True)),
        Column(
            "long",
            String(80),
            Computed("concat(quoted, ' (:x) ')"),
        ),
        CheckConstraint("quoted <> 'a, (b' AND colon <> '::x'", name="ck_texts"),
    )
    return metadata


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_texts_in_definitions_are_compared(databases: ScratchEngines, server: str) -> None:
    metadata = texts_schema()
    if server == "postgres":
        # Its `concat` may depend on settings, and cannot be computed from.
        metadata.tables["texts"].columns["long"].computed.sqltext = text("quoted || ' (\\:x) '")  # type: ignore[union-attr]
    with databases[server].connect() as connection:
        clear(connection)
        metadata.create_all(connection)
        connection.commit()

        found = find(connection, metadata)

    assert found == []


def test_what_only_postgres_has_is_compared(databases: ScratchEngines) -> None:
    metadata = MetaData()
    table = Table(
        "special",
        metadata,
        Column("id", sqlalchemy.BigInteger, sqlalchemy.Identity(start=10, increment=5), primary_key=True),
        Column("tags", postgresql.ARRAY(String(20)), server_default=text("'{}'")),
        Column("moods", postgresql.ARRAY(Enum("calm", "sad", name="mood_of_array"))),
        Column("data", postgresql.JSONB, server_default=text("'{\"a\"\\: 1}'::jsonb")),
        Column("plain", JSON),
        Column("address", postgresql.INET),
        Column("span", postgresql.INTERVAL),
        Column("period", postgresql.TSTZRANGE),
        Column("word", postgresql.TSVECTOR),
        Column("bits", postgresql.BIT(4)),
        Column("money", postgresql.MONEY),
        Column("when", postgresql.TIMESTAMP(timezone=True, precision=3), server_default=text("now()")),
        Column("clock", postgresql.TIME(timezone=True)),
        Column("key", postgresql.UUID, server_default=text("gen_random_uuid()")),
        postgresql.ExcludeConstraint(("period", "&&"), using="gist", name="ex_period"),
        UniqueConstraint("address", name="uq_address", postgresql_nulls_not_distinct=True),
    )
    _ = Index(
        "ix_data", table.columns.data, postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"}
    )
    _ = Index("ix_path", table.columns.data["a"].astext)
    _ = Index("ix_last", table.columns.span.desc().nulls_last(), postgresql_with={"fillfactor": 50})
    with databases["postgres"].connect() as connection:
        clear(connection)
        metadata.create_all(connection)
        connection.commit()

        found = find(connection, metadata)

    assert found == []
