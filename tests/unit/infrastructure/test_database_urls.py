"""Database URLs as hosts hand them out: what each driver is given, and what is refused with a sentence."""

import ssl
from pathlib import Path

import pytest

from fastapi_easy.domain import DeclarationError
from fastapi_easy.infrastructure.relational.url import connect_arguments, resolve

PASSWORDS = {
    "escaped": "p%2Fs%3A%40s",
    "as they are": "p/s:@s",
}


def told(text: str) -> tuple[tuple[object, ...], dict[str, object]]:
    """Where *text* leads, and what its driver is told besides."""
    url = resolve(text)
    plain, arguments = connect_arguments(url)
    assert not plain.query.keys() - {"prepared_statement_cache_size"}
    return (plain.username, plain.password, plain.host, plain.port, plain.database), arguments


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_password_has_any_characters(scheme: str, password: str) -> None:
    (user, found, host, port, name), _ = told(f"{scheme}://me:{password}@db.example:5/x")

    assert (user, found, host, port, name) == ("me", "p/s:@s", "db.example", 5, "x")


@pytest.mark.parametrize("text", ["me:a%b@h/x", "me:a#b?c@h/x", "me:a:b+c@h/x", "me@h/x", "h/x"])
def test_what_stands_in_a_password_stays(text: str) -> None:
    (_, password, host, _, name), _ = told(f"postgresql://{text}")

    assert (password, host, name) == (text.rpartition("@")[0].partition(":")[2] or None, "h", "x")


@pytest.mark.parametrize(
    ("text", "asyncpg", "psycopg"),
    [
        pytest.param(
            "h/x?sslmode=require&application_name=my+shop",
            {"dsn": "postgresql://?sslmode=require&application_name=my%20shop"},
            {"sslmode": "require", "application_name": "my shop"},
            id="words of libpq",
        ),
        pytest.param("h/x?ssl=true", {"dsn": "postgresql://?sslmode=require"}, {"sslmode": "require"}, id="ssl"),
        pytest.param(
            "h/x?options=-csearch_path%3Dshop%20-cjit%3Doff",
            {"dsn": "postgresql://?options=-csearch_path%3Dshop%20-cjit%3Doff"},
            {"options": "-csearch_path=shop -cjit=off"},
            id="options",
        ),
        pytest.param(
            "a:1,b,[::1]:3/x?target_session_attrs=read-write",
            {
                "dsn": "postgresql://?target_session_attrs=read-write",
                "host": ["a", "b", "::1"],
                "port": [1, 5432, 3],
            },
            {"target_session_attrs": "read-write", "host": "a,b,::1", "port": "1,5432,3"},
            id="several hosts",
        ),
        pytest.param("h/x?pooler=session", {}, {}, id="a pooler, which no driver is told of"),
        pytest.param("h/x?pgbouncer=true", {}, {}, id="a pooler in the words of hosts of databases"),
        pytest.param(
            "/x?host=a,b&port=1,2",
            {"host": ["a", "b"], "port": [1, 2]},
            {"host": "a,b", "port": "1,2"},
            id="hosts as words",
        ),
        pytest.param(
            "/x?host=/run/pg", {"host": ["/run/pg"], "port": [5432]}, {"host": "/run/pg", "port": "5432"}, id="a socket"
        ),
        pytest.param(
            "%2Frun%2Fpg/x?port=7",
            {"host": ["/run/pg"], "port": [7]},
            {"host": "/run/pg", "port": "7"},
            id="a socket as host",
        ),
    ],
)  # fmt: skip
def test_what_libpq_takes_is_told_to_both_drivers(
    text: str, asyncpg: dict[str, object], psycopg: dict[str, object]
) -> None:
    assert told(f"postgresql+asyncpg://me:pw@{text}")[1] == asyncpg
    assert told(f"postgresql+psycopg://me:pw@{text}")[1] == psycopg


def test_who_logs_in_may_stand_behind_the_question_mark() -> None:
    where, arguments = told("postgresql:///?host=/run/pg&user=me&password=p%40ss&dbname=x")

    assert where == ("me", "p@ss", None, None, "x")
    assert arguments == {"host": ["/run/pg"], "port": [5432]}


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
def test_the_drivers_for_mysql_are_told_of_sockets_and_tls(driver: str, tmp_path: Path) -> None:
    socket, encrypted, verified = (
        told(f"mysql+{driver}://me@{text}")[1]
        for text in ("%2Frun%2Fmysql.sock/x", "h/x?sslmode=require&charset=utf8mb4", "h/x?ssl-mode=VERIFY_IDENTITY")
    )  # fmt: skip

    assert (
        socket
        == told(f"mysql+{driver}://me@/x?unix_socket=/run/mysql.sock")[1]
        == {"unix_socket": "/run/mysql.sock"}
    )
    contexts = [each["ssl"] for each in (encrypted, verified)]
    assert [
        (each.check_hostname, each.verify_mode) for each in contexts if isinstance(each, ssl.SSLContext)
    ] == [
        (False, ssl.CERT_NONE),
        (True, ssl.CERT_REQUIRED),
    ]
    assert told(f"mysql+{driver}://h/x?ssl=false")[1] == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgresql+asyncpg://h/x?channel_binding=require", "asyncpg cannot do 'channel_binding'.*psycopg"),
        ("postgresql://h/x?sslmod=require", "'sslmod'.*did you mean sslmode?"),
        ("postgresql://h/x?sslmode=maybe", "'sslmode'.*one of disable"),
        ("postgresql://h/x?sslrootcert=/nowhere/ca.pem", "'sslrootcert'.*/nowhere/ca.pem.*No such file"),
        ("postgresql://h/x?schema=shop", "options=-csearch_path=NAME"),
        ("postgresql+psycopg://h/x?connect_timeout=3", "connect_timeout of the database in the settings"),
        ("postgresql+psycopg://h/x?pooler=statement", "'pooler'.*auto, session, transaction"),
        ("mysql://h/x?pooler=transaction", "'pooler'.*leave it out"),
        ("postgresql://h:port/x", "the port"),
        ("postgresql://a:1,b:x/x", "the port"),
        ("postgresql://me:p@s/s@h/x", "%40"),
        ("mysql+aiomysql://a,b/x", "one host"),
        ("mysql://h/x?ssl_mode=PREFERRED", "'ssl_mode'.*DISABLED, REQUIRED"),
        ("mysql://h/x?ssl_ca=/nowhere/ca.pem", "'ssl_ca'.*No such file"),
        ("mysql://h/x?charset=latin1", "'charset'.*utf8mb4"),
        ("mysql://h/x?allowPublicKeyRetrieval=true", "'allowPublicKeyRetrieval'.*leave it out"),
        ("sqlite://app.db", "sqlite:///app.db"),
    ],
)
def test_what_a_driver_cannot_do_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(DeclarationError, match=f"(?s){says}"):
        resolve(text)
