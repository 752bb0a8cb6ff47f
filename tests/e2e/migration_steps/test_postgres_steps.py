"""Steps on PostgreSQL: executed, probed and taken back."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.e2e.migration_steps.cases import Case, check
from tests.e2e.migration_steps.postgres_cases import CASES, VIRTUAL


@pytest.fixture(scope="module")
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


@pytest.fixture
def recreate(engine: Engine) -> Callable[[], None]:
    def clean() -> None:
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA IF EXISTS other CASCADE"))
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))

    return clean


@pytest.mark.parametrize("name", CASES)
def test_goes_from_one_schema_to_the_other_and_back(
    name: str, engine: Engine, recreate: Callable[[], None]
) -> None:
    case: Case = CASES[name]

    check(engine, case, recreate)


@pytest.mark.parametrize("name", VIRTUAL)
def test_goes_there_and_back_with_virtual_columns(
    name: str, engine: Engine, recreate: Callable[[], None]
) -> None:
    with engine.connect() as connection:
        if (connection.dialect.server_version_info or ()) < (18,):
            pytest.skip("PostgreSQL has virtual columns since 18")

    check(engine, VIRTUAL[name], recreate)
