"""Random schemas: the steps from one to the other leave no difference, and the way back leaves none either."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    text,
)

from fastapi_easy.domain.migrations.hints import Hints
from tests.e2e.migration_steps.cases import Case, check

TYPES: dict[str, Any] = {
    "short": lambda: String(20),
    "long": lambda: String(200),
    "text": Text,
    "integer": Integer,
    "big": BigInteger,
    "price": lambda: Numeric(10, 2),
    "flag": Boolean,
    "time": DateTime,
}
FAMILIES = [["short", "long"], ["integer", "big"], ["price"], ["flag"], ["time"], ["text"]]
"""Types that a server converts to one another without being told how."""

COLUMNS = {f"c{place}": family for place, family in enumerate(FAMILIES)}


@st.composite
def columns(draw: st.DrawFn) -> dict[str, tuple[str, bool, bool, bool]]:
    """Some of the columns, with their type, and whether they are nullable, unique and indexed."""
    chosen = draw(st.lists(st.sampled_from(sorted(COLUMNS)), unique=True, max_size=4))
    return {
        name: (draw(st.sampled_from(COLUMNS[name])), *(draw(st.booleans()) for _ in range(3)))
        for name in chosen
    }


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Up to three tables, some of which refer to others."""
    names = draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3))
    references = {name: draw(st.sampled_from([None, *names])) for name in names}
    return {name: (draw(columns()), references[name], draw(st.booleans())) for name in names}


def declare(schema: dict[str, Any], metadata: MetaData) -> None:
    for name, (described, reference, checked) in schema.items():
        items: list[Any] = [Column("id", Integer, primary_key=True), Column("number", Integer)]
        for column, (kind, nullable, unique, indexed) in described.items():
            items.append(Column(column, TYPES[kind](), nullable=nullable))
            if kind == "text":
                continue
            if unique:
                items.append(UniqueConstraint(column, name=f"uq_{name}_{column}"))
            if indexed:
                items.append(Index(f"ix_{name}_{column}", column, "id"))
        if reference is not None:
            key = ForeignKey(f"{reference}.id", name=f"fk_{name}", use_alter=reference != name)
            items += [Column("parent", Integer, key), Index(f"ix_{name}_parent", "parent")]
        if checked:
            items.append(CheckConstraint("number > 0", name=f"ck_{name}"))
        Table(name, metadata, *items)


def there_and_back(engine: Engine, before: dict[str, Any], after: dict[str, Any]) -> None:
    if before == after:
        return
    case = Case(
        before=lambda metadata: declare(before, metadata),
        after=lambda metadata: declare(after, metadata),
        hints=Hints(batch_size=3),
        exact=False,
    )
    check(engine, case, lambda: clean(engine))


def clean(engine: Engine) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            return
        connection.execute(text("SET foreign_key_checks = 0"))
        for table in connection.execute(text("SHOW TABLES")).scalars().all():
            connection.exec_driver_sql(f"DROP TABLE `{table}`")
        connection.execute(text("SET foreign_key_checks = 1"))


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def mariadb(mariadb_url: str) -> Iterator[Engine]:
    engine = create_engine(mariadb_url.replace("mysql://", "mysql+pymysql://"))
    yield engine
    engine.dispose()


few = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)


@few
@given(before=schemas(), after=schemas())
def test_postgres_is_brought_from_any_schema_to_any_other(
    postgres: Engine, before: dict[str, Any], after: dict[str, Any]
) -> None:
    there_and_back(postgres, before, after)


@few
@given(before=schemas(), after=schemas())
def test_mariadb_is_brought_from_any_schema_to_any_other(
    mariadb: Engine, before: dict[str, Any], after: dict[str, Any]
) -> None:
    there_and_back(mariadb, before, after)
