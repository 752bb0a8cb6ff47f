"""Steps on MariaDB: executed, probed and taken back."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.e2e.migration_steps.cases import Case, check
from tests.e2e.migration_steps.mysql_cases import CASES


@pytest.fixture(scope="module")
def engine(mariadb_url: str) -> Iterator[Engine]:
    url = mariadb_url.replace("mysql://", "mysql+pymysql://")
    engine = create_engine(url, connect_args={"init_command": "SET sql_mode = 'STRICT_ALL_TABLES'"})
    yield engine
    engine.dispose()


@pytest.fixture
def recreate(engine: Engine) -> Callable[[], None]:
    def clean() -> None:
        with engine.begin() as connection:
            connection.execute(text("SET foreign_key_checks = 0"))
            for table in connection.execute(text("SHOW TABLES")).scalars().all():
                connection.exec_driver_sql(f"DROP TABLE `{table.replace('%', '%%')}`")
            connection.execute(text("SET foreign_key_checks = 1"))

    return clean


@pytest.mark.parametrize("name", CASES)
def test_goes_from_one_schema_to_the_other_and_back(
    name: str, engine: Engine, recreate: Callable[[], None]
) -> None:
    case: Case = CASES[name]

    check(engine, case, recreate)
