"""Drivers that have lost a private name: their connections serve, and nobody watches the host at the other end."""

import logging
from types import SimpleNamespace

import pytest

from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver import sockets


@pytest.mark.parametrize("driver", ["asyncpg", "asyncmy", "aiomysql"])
def test_logs_a_hidden_socket_once(caplog, driver: str):
    sockets._tell_unwatched.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            sockets.enable_keepalive(driver, SimpleNamespace())

    assert [record.getMessage() for record in caplog.records] == [
        f"this version of {driver} hides its sockets: a host that has vanished is noticed late"
    ]


async def test_a_database_whose_sockets_are_hidden_answers(monkeypatch, postgres_url):
    monkeypatch.setitem(sockets._SOCKETS, "asyncpg", lambda _: None)
    database = SqlAlchemyDatabase("default", postgres_url)
    try:
        async with database.executor.lend_connection() as connection:
            assert not connection.closed
    finally:
        await database.close()


async def test_sockets_are_found_in_the_installed_versions(monkeypatch, postgres_url, mariadb_url):
    def refuse(driver: str) -> None:
        raise AssertionError(driver)

    monkeypatch.setattr(sockets, "_tell_unwatched", refuse)
    drivers = {
        "postgresql+asyncpg": postgres_url,
        "mysql+asyncmy": mariadb_url,
        "mysql+aiomysql": mariadb_url,
    }
    for scheme, url in drivers.items():
        database = SqlAlchemyDatabase("default", f"{scheme}://{url.partition('://')[2]}")
        try:
            async with database.executor.lend_connection() as connection:
                assert not connection.closed
        finally:
            await database.close()
