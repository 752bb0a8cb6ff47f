"""Random schemas: nothing is detected if, and only if, both would be stored alike."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.description import (
    declared_checksum,
    describe,
)
from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables

NAMES = ("one", "two", "three")
TYPES = (Integer(), String(10), String(20), Text(), Date())
"""None of which stands for another one: SQLite keeps decimals as texts, so those are no difference."""
DEFAULTS = (None, "1", "2")

columns = st.dictionaries(
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(TYPES), st.booleans(), st.sampled_from(DEFAULTS)),
    min_size=1,
)
rules = st.sets(
    st.sampled_from(["unique", "index", "partial", "descending", "check", "check more", "reference", "pair"])
)
schemas = st.tuples(columns, rules)


def metadata_of(drawn: tuple[dict[str, Any], set[str]]) -> MetaData:
    """The drawn schema."""
    of, wanted = drawn
    metadata = MetaData()
    _ = Table("parent", metadata, Column("id", Integer, primary_key=True))
    first = min(of)
    parts: dict[str, list[Any]] = {
        "unique": [UniqueConstraint(first, name="uq")],
        "index": [Index("ix", first)],
        "partial": [Index("ix_partial", first, sqlite_where=text(f"{first} IS NOT NULL"))],
        "descending": [Index("ix_down", text(f"{first} DESC"))],
        "check": [CheckConstraint(f"{first} <> 3", name="ck")],
        "check more": [CheckConstraint(f"{first} <> 4 AND {first} <> 5", name="ck_more")],
        "reference": [ForeignKeyConstraint([first], ["parent.id"], name="fk", ondelete="CASCADE")],
        "pair": [Index("ix_pair", *sorted(of)[:2], unique=True)],
    }
    _ = Table(
        "child",
        metadata,
        Column("id", Integer, primary_key=True),
        *(
            Column(name, type_, nullable=nullable, server_default=default)
            for name, (type_, nullable, default) in sorted(of.items())
        ),
        *(part for name in sorted(wanted) for part in parts[name]),
    )
    return metadata


@contextmanager
def stored(metadata: MetaData) -> Iterator[Connection]:
    """A database that has it."""
    engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


@given(before=schemas, after=schemas)
@settings(max_examples=40)
def test_something_is_detected_if_both_are_stored_in_another_way(before: Any, after: Any) -> None:
    with stored(metadata_of(before)) as one, stored(metadata_of(after)) as other:
        found = detect(one, DeclaredTables(metadata=metadata_of(after)), Hints(), ())

        assert (not found) == (describe(one).fingerprint == describe(other).fingerprint)


@given(before=schemas, after=schemas)
@settings(max_examples=25)
def test_the_checksum_of_what_is_declared_changes_with_it(before: Any, after: Any) -> None:
    one, other = (
        declared_checksum(DeclaredTables(metadata=metadata_of(each)), sqlite.dialect())
        for each in (before, after)
    )
    with stored(metadata_of(before)) as first, stored(metadata_of(after)) as second:
        assert (one == other) == (describe(first).fingerprint == describe(second).fingerprint)


def test_the_checksum_is_the_same_in_every_process() -> None:
    program = (
        "from sqlalchemy.dialects import postgresql\n"
        "from tests.e2e.schema_edits import shop\n"
        "from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables\n"
        "from fastapi_easy.infrastructure.migrations.relational.detection.description import declared_checksum\n"
        "print(declared_checksum(DeclaredTables(metadata=shop()), postgresql.dialect()))\n"
    )

    sums = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(sums) == 1
