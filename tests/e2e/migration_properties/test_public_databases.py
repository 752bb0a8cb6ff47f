"""Edits of public databases, planned as a deploy script does: what the rules say of each, and how risky it is."""

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Engine,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import NullType

from fastapi_easy.migrations import Hints
from tests.e2e.migration_properties.program import Program
from tests.e2e.schema_edits import with_default, with_null, with_part, with_type
from tests.e2e.test_datasets import DATASETS
from tests.services.wanted import empty_database
from tests.thorough import one_in

Edit = Callable[[MetaData], object]


@pytest.fixture(scope="module")
def chinook() -> Iterator[tuple[str, Engine]]:
    """The music shop with its rows, and what the server knows of them."""
    with empty_database("postgres") as url, DATASETS["chinook"].loaded_into(url) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        yield url, engine


def without_column(table: str, name: str) -> Edit:
    """Declare *table* without a column."""

    def edit(metadata: MetaData) -> None:
        stored = metadata.tables[table]
        kept = [each._copy() for each in stored.columns if each.name != name]
        metadata.remove(stored)
        _ = Table(table, metadata, *kept)

    return edit


def without_rule(table: str, name: str) -> Edit:
    """Declare *table* without an index or a constraint."""

    def edit(metadata: MetaData) -> None:
        stored = metadata.tables[table]
        for index in [each for each in stored.indexes if each.name == name]:
            stored.indexes.remove(index)
        for rule in [each for each in stored.constraints if each.name == name]:
            stored.constraints.remove(rule)

    return edit


SAFE: tuple[str, dict[str, str]] = ("safe", {})
EDITS: dict[str, tuple[Edit, tuple[str, dict[str, str]]]] = {
    "a new table": (lambda metadata: Table("label", metadata, Column("id", Integer, primary_key=True)), SAFE),
    "a column that may be null": (with_part("genre", lambda _: Column("note", Text)), SAFE),
    "a column that must not be null": (
        with_part("genre", lambda _: Column("note", Text, nullable=False)),
        ("dangerous", {"BC105": "dangerous"}),
    ),
    "a column with a default": (
        with_part("genre", lambda _: Column("note", Text, nullable=False, server_default="x")),
        SAFE,
    ),
    "a longer text": (with_type("track.name", String(300)), ("safe", {"BC108": "safe", "ST106": "safe"})),
    "a text too short": (
        with_type("track.name", String(10)),
        ("dangerous", {"BC108": "caution", "DS106": "dangerous", "LK111": "safe", "ST106": "safe"}),
    ),
    "a wider key": (
        with_type("genre.genre_id", BigInteger()),
        ("caution", {"BC108": "caution", "LK111": "safe"}),
    ),
    "a number too narrow": (
        with_type("track.bytes", SmallInteger()),
        ("dangerous", {"BC108": "caution", "DS106": "dangerous", "LK111": "safe"}),
    ),
    "fewer digits": (
        with_type("track.unit_price", Numeric(10, 1)),
        ("dangerous", {"BC108": "caution", "DS107": "dangerous", "LK111": "safe"}),
    ),
    "not null, and nothing is": (
        with_null("track.genre_id", False),
        ("caution", {"BC109": "caution", "DD103": "safe"}),
    ),
    "not null, and something is": (
        with_null("track.composer", False),
        ("dangerous", {"BC109": "caution", "DD103": "dangerous"}),
    ),
    "null": (with_null("track.name", True), ("caution", {"BC106": "caution"})),
    "an index": (with_part("track", lambda table: Index("ix_bytes", table.c.bytes)), SAFE),
    "unique, with duplicates": (
        with_part("track", lambda _: UniqueConstraint("name", name="uq_name")),
        ("dangerous", {"BC109": "caution", "DD101": "dangerous"}),
    ),
    "unique, without any": (
        with_part("genre", lambda _: UniqueConstraint("name", name="uq_genre")),
        ("caution", {"BC109": "caution", "DD101": "safe"}),
    ),
    "a reference with orphans": (
        with_part(
            "invoice",
            lambda _: ForeignKeyConstraint(["customer_id"], ["employee.employee_id"], name="fk_more"),
        ),
        ("dangerous", {"BC109": "caution", "DD104": "dangerous"}),
    ),
    "a check that rows break": (
        with_part("track", lambda _: CheckConstraint("milliseconds > 100000", name="ck_long")),
        ("dangerous", {"BC109": "caution", "DD105": "dangerous"}),
    ),
    "a check that none breaks": (
        with_part("track", lambda _: CheckConstraint("milliseconds > 0", name="ck_some")),
        ("caution", {"BC109": "caution", "DD105": "safe"}),
    ),
    "no reference": (without_rule("track", "track_genre_id_fkey"), ("caution", {"IN101": "caution"})),
    "no index": (without_rule("track", "track_genre_id_idx"), SAFE),
    "a default": (with_default("genre.name", "x"), SAFE),
    "no column": (without_column("genre", "name"), ("dangerous", {"DS103": "dangerous"})),
    "no table": (
        lambda metadata: metadata.remove(metadata.tables["playlist_track"]),
        ("dangerous", {"DS101": "dangerous"}),
    ),
}


@pytest.mark.parametrize("name", one_in(3, [*EDITS]))
def test_an_edit_of_chinook_is_as_risky_as_its_rules_say(chinook: tuple[str, Engine], name: str) -> None:
    url, engine = chinook
    edit, expected = EDITS[name]
    metadata = MetaData()
    metadata.reflect(engine)
    edit(metadata)

    plan = Program(url, metadata).plan(Hints(drop_undeclared=name == "no table"))

    found = {each.rule: each.risk.value for step in plan.steps for each in step.findings}
    assert plan.steps
    assert (plan.risk.value, found) == expected


@pytest.mark.parametrize("name", ["chinook", "pagila"])
@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_a_public_database_needs_no_migration_to_its_own_tables(name: str) -> None:
    dataset = DATASETS[name]
    with empty_database("postgres") as url, dataset.loaded_into(url, with_rows=False) as engine:
        metadata = MetaData()
        metadata.reflect(engine)
        for table in tuple(metadata.tables.values()):
            # What no kind stands for cannot be declared as a resource; `test_detection_of_databases` has it.
            odd = any(
                column.name in dataset.columns or isinstance(column.type, NullType)
                for column in table.columns
            )
            if odd or re.search(dataset.without, table.name) or not table.primary_key.columns:
                metadata.remove(table)

        plan = Program(url, metadata).plan()

    assert len(metadata.tables) > 8
    assert (plan.steps, plan.findings) == ((), ())
