"""Database URLs with words in them, told to real servers by each driver."""

import socket
from typing import Any

import pytest
from returns.result import Success
from sqlalchemy import URL, make_url, text

from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase

POSTGRES = ["asyncpg", "psycopg"]
MYSQL = ["asyncmy", "aiomysql"]


async def asked(url: URL | str, *questions: str) -> list[Any]:
    """Return what the server at *url* answers to each of *questions*."""
    told = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    database = SqlAlchemyDatabase("default", told, ConnectionOptions(connect_timeout=2, pool_timeout=30))
    try:
        assert await database.check() == Success(None)
        return [(await database.executor.read(text(each), {})).rows[0][0] for each in questions]
    finally:
        await database.close()


@pytest.mark.parametrize("driver", POSTGRES)
async def test_postgresql_is_told_what_the_url_says(driver: str, postgres_url: str) -> None:
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}")
    words = {
        "application_name": "my shop",
        "options": "-csearch_path=shop -cwork_mem=5MB",
        "sslmode": "prefer",
    }

    answers = await asked(
        url.update_query_dict(words), "SHOW application_name", "SHOW search_path", "SHOW work_mem"
    )

    assert answers == ["my shop", "shop", "5MB"]


@pytest.mark.parametrize("driver", POSTGRES)
async def test_postgresql_is_reached_through_a_socket(driver: str, postgres_url: str) -> None:
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}")
    (folders,) = await asked(url, "SHOW unix_socket_directories")
    folder = folders.partition(",")[0].strip()
    if not folder:
        pytest.skip("this server has no socket")
    login = "" if url.username is None else f"{url.username}:{url.password or ''}@"
    text_of_url = f"{url.drivername}://{login}/{url.database}?host={folder}&port={url.port}"

    answers = await asked(text_of_url, "SELECT inet_server_addr()")

    assert answers == [None]


@pytest.mark.parametrize("driver", POSTGRES)
async def test_the_next_host_is_asked_when_the_first_is_not_there(driver: str, postgres_url: str) -> None:
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}")
    login = "" if url.username is None else f"{url.username}:{url.password or ''}@"
    text_of_url = f"{url.drivername}://{login}127.0.0.1:1,{url.host}:{url.port}/{url.database}"

    assert await asked(f"{text_of_url}?target_session_attrs=read-write", "SELECT 1") == [1]


@pytest.mark.parametrize("driver", POSTGRES)
async def test_the_next_host_is_asked_when_the_first_is_silent(driver: str, postgres_url: str) -> None:
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}")
    login = "" if url.username is None else f"{url.username}:{url.password or ''}@"
    # It takes connections, as the system does for a process that is stopped, and never says a word.
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        hosts = f"127.0.0.1:{silent.getsockname()[1]},{url.host}:{url.port}"
        text_of_url = f"{url.drivername}://{login}{hosts}/{url.database}?target_session_attrs=primary"

        assert await asked(text_of_url, "SELECT 1") == [1]


@pytest.mark.parametrize("driver", MYSQL)
async def test_mariadb_is_reached_through_a_socket(driver: str, mariadb_url: str) -> None:
    url = make_url(mariadb_url).set(drivername=f"mysql+{driver}")
    (socket,) = await asked(url, "SELECT @@socket")
    login = f"{url.username or 'root'}:{url.password or ''}@"

    answers = await asked(
        f"{url.drivername}://{login}/{url.database}?socket={socket}&charset=utf8mb4",
        "SELECT SUBSTRING_INDEX(USER(), '@', -1)",
    )

    assert answers == ["localhost"]


@pytest.mark.parametrize("driver", MYSQL)
async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(driver: str, mariadb_url: str) -> None:
    url = make_url(mariadb_url).set(drivername=f"mysql+{driver}")
    (has_tls,) = await asked(url, "SELECT @@have_ssl")
    if has_tls == "YES":
        pytest.skip("this server has TLS")
    told = url.update_query_dict({"ssl_mode": "REQUIRED"}).render_as_string(hide_password=False)
    database = SqlAlchemyDatabase("default", told)

    try:
        answered = await database.check()
    finally:
        await database.close()

    # asyncmy begins to speak TLS to whoever is there.
    assert "TLS" in answered.failure().detail or "SSL" in answered.failure().detail


@pytest.mark.parametrize("driver", POSTGRES)
async def test_a_wrong_name_is_told_as_such(driver: str, postgres_url: str) -> None:
    url = make_url(postgres_url).set(drivername=f"postgresql+{driver}", database="no_such_database")
    database = SqlAlchemyDatabase("default", url.render_as_string(hide_password=False))

    try:
        answered = await database.check()
    finally:
        await database.close()

    assert 'database "no_such_database" does not exist' in answered.failure().detail
