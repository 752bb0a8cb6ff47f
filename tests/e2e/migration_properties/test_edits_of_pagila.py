"""Edits of Pagila, a database with types, keys and defaults of PostgreSQL: each is as risky as its rules say."""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping

import pytest
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.types import NullType

from tests.e2e.migration_properties.program import Program
from tests.e2e.schema_edits import with_default, with_null, with_part, with_type, without
from tests.e2e.test_datasets import DATASETS
from tests.services.wanted import empty_database

Edit = Callable[[MetaData], object]

PAGILA = DATASETS["pagila"]


@pytest.fixture(scope="module")
def pagila() -> Iterator[tuple[str, Engine]]:
    """The film rental with its rows, and what the server knows of them."""
    with empty_database("postgres") as url, PAGILA.loaded_into(url) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        yield url, engine


def declared(engine: Engine) -> MetaData:
    """Return the tables that can be declared: those with a key, without a column that no kind stands for."""
    metadata = MetaData()
    metadata.reflect(engine)
    for table in tuple(metadata.tables.values()):
        odd = any(each.name in PAGILA.columns or isinstance(each.type, NullType) for each in table.columns)
        if odd or re.search(PAGILA.without, table.name) or not table.primary_key.columns:
            metadata.remove(table)
    return metadata


EDITS: dict[str, tuple[str, Edit, dict[str, str]]] = {
    "a new table that refers": (
        "visit",
        lambda metadata: Table(
            "visit",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("store_id", Integer, ForeignKey("store.store_id"), index=True),
        ),
        {},
    ),
    "a column that may be null": ("actor.born", with_part("actor", lambda _: Column("born", Date)), {}),
    "a default that differs by row": (
        "city.code",
        with_part("city", lambda _: Column("code", Uuid, server_default=text("gen_random_uuid()"))),
        {},
    ),
    "a computed column": (
        "actor.name",
        with_part("actor", lambda _: Column("name", Text, Computed("first_name || last_name"))),
        {},
    ),
    "a limit to a text, long enough": (
        "country.country",
        with_type("country.country", String(60)),
        {"DS106": "caution", "BC108": "caution", "DD108": "dangerous", "LK111": "safe", "ST106": "safe"},
    ),
    "a limit to a text, too short": (
        "address.district",
        with_type("address.district", String(3)),
        {"DS106": "dangerous", "BC108": "caution", "LK111": "safe", "ST106": "safe"},
    ),
    "a wider key that others refer to": (
        "city.city_id",
        with_type("city.city_id", BigInteger()),
        {"BC108": "caution", "DD108": "dangerous", "LK111": "safe"},
    ),
    "a narrower key": (
        "language.language_id",
        with_type("language.language_id", SmallInteger()),
        {"DS106": "caution", "BC108": "caution", "LK111": "safe"},
    ),
    "a time without its zone": (
        "category.last_update",
        with_type("category.last_update", DateTime()),
        {"BC108": "caution", "ST105": "safe"},
    ),
    "a number that becomes a text": (
        "customer.active",
        with_type("customer.active", Text()),
        {"BC108": "caution", "LK111": "safe"},
    ),
    "a text that becomes a number": (
        "address.postal_code",
        with_type("address.postal_code", Integer()),
        {
            "DS106": "dangerous",
            "BC108": "caution",
            "DD107": "dangerous",
            "DD108": "dangerous",
            "LK111": "safe",
        },
    ),
    "not null, and many are": (
        "address.address2",
        with_null("address.address2", False),
        {"BC109": "caution", "DD103": "dangerous"},
    ),
    "not null, and some are": (
        "customer.last_update",
        with_null("customer.last_update", False),
        {"BC109": "caution", "DD103": "dangerous"},
    ),
    "null": ("staff.username", with_null("staff.username", True), {"BC106": "caution"}),
    "no default": (
        "inventory.last_update",
        with_default("inventory.last_update", None),
        {"BC107": "caution"},
    ),
    "unique over two, with duplicates": (
        "customer.uq_email",
        with_part("customer", lambda _: UniqueConstraint("store_id", "email", name="uq_email")),
        {"BC109": "caution", "DD101": "dangerous"},
    ),
    "unique, without any": (
        "staff.uq_username",
        with_part("staff", lambda _: UniqueConstraint("username", name="uq_username")),
        {"BC109": "caution", "DD101": "safe"},
    ),
    "an index of an expression": (
        "customer.ix_email",
        with_part("customer", lambda table: Index("ix_email", func.lower(table.c.email))),
        {},
    ),
    "an index of some rows": (
        "customer.ix_active",
        with_part(
            "customer", lambda table: Index("ix_active", table.c.email, postgresql_where=table.c.activebool)
        ),
        {},
    ),
    "no unique index": ("rental.rental_uuid_key", without("rental", "rental_uuid_key"), {"IN102": "caution"}),
    "a check that rows break": (
        "rental.ck_order",
        with_part("rental", lambda _: CheckConstraint("return_date < rental_date", name="ck_order")),
        {"BC109": "caution", "DD105": "dangerous"},
    ),
    "a reference that holds": (
        "staff.fk_staff_store",
        with_part(
            "staff", lambda _: ForeignKeyConstraint(["store_id"], ["store.store_id"], name="fk_staff_store")
        ),
        {"BC109": "caution", "DD104": "safe"},
    ),
    "no reference": (
        "city.city_country_id_fkey",
        without("city", "city_country_id_fkey"),
        {"IN101": "caution"},
    ),
    "no column that views show": (
        "category.name",
        without("category", "name"),
        {"DS103": "dangerous", "DD108": "dangerous"},
    ),
}


@pytest.fixture(scope="module")
def findings(pagila: tuple[str, Engine]) -> Mapping[str, Mapping[str, str]]:
    """What is found of each object, once every edit is made: they concern different objects."""
    url, engine = pagila
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Did not recognize type")
        metadata = declared(engine)
        for _, edit, _ in EDITS.values():
            edit(metadata)
        plan = Program(url, metadata).plan()
    found: dict[str, dict[str, str]] = {each.object: {} for step in plan.steps for each in step.changes}
    for step in plan.steps:
        for each in step.findings:
            found.setdefault(each.object, {})[each.rule] = each.risk.value
    return found


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_pagila_is_as_risky_as_its_rules_say(
    findings: Mapping[str, Mapping[str, str]], name: str
) -> None:
    changed, _, expected = EDITS[name]

    assert findings[changed] == expected
