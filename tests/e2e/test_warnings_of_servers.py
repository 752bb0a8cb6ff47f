"""What a server warns of repeats values of rows: a driver does not write it to stderr."""

import logging

import pytest
import sqlalchemy

from fastapi_easy.bootstrap import open_kernel
from tests.faults.outages.parcels import post_at
from tests.services.wanted import empty_database

WARNS = "SELECT CAST('1 secret' AS SIGNED)"


@pytest.mark.parametrize("driver", ["mysql+asyncmy", "mysql+aiomysql"])
async def test_warnings_of_the_server_are_logged_only_for_who_wants_them(
    driver: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with empty_database("mariadb") as url:
        shop = post_at(url.replace("mysql", driver, 1))
        async with open_kernel(shop):
            database = shop.databases.default()
            answer = await database.executor.read(sqlalchemy.text(WARNS), {})
            text = await database.executor.run_sync(lambda made: made.exec_driver_sql(WARNS).scalar_one())

    assert ([tuple(each) for each in answer.rows], text) == ([(1,)], 1)
    assert [each.name for each in caplog.records if "secret" in each.getMessage()] == []
    assert "secret" not in capfd.readouterr().err


def test_a_level_that_the_program_has_set_is_kept() -> None:
    logger = logging.getLogger("asyncmy")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        _ = post_at("mysql+asyncmy://root@127.0.0.1/nowhere").databases.default()

        assert logger.level == logging.WARNING
    finally:
        logger.setLevel(before)
