"""What libpq takes in a URL, for asyncpg and psycopg."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from sqlalchemy import URL

from fastapi_easy.infrastructure.relational.options import PoolerMode
from fastapi_easy.infrastructure.relational.urls.words import (
    refuse_absent_files,
    refuse_unknown,
    refuse_values,
    words_of,
)

_PORT: Final = 5432

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VALUES: Final = {
    "sslmode": _SSL_MODES,
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
_POOLERS: Final = {
    "pooler": ("auto", "session", "transaction"),
    "pgbouncer": ("true", "false"),
}
"""What stands between; `pgbouncer=true` is how hosts of databases say that it shares sessions out."""

_FILES: Final = ("sslcert", "sslkey", "sslrootcert", "sslcrl", "passfile")

_BOTH: Final = frozenset(
    {
        "host", "port", "application_name", "options", "target_session_attrs", "service", "krbsrvname", "gsslib",
        "sslmode", "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version", *_FILES,
    }
)  # fmt: skip
_PSYCOPG: Final = frozenset(
    {
        "hostaddr", "channel_binding", "fallback_application_name", "keepalives", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslcompression", "sslcertmode", "sslcrldir",
        "sslsni", "requirepeer", "require_auth", "gssencmode", "gssdelegation", "load_balance_hosts",
    }
)  # fmt: skip
_OF_THE_DIALECT: Final = frozenset({"prepared_statement_cache_size"})
"""What SQLAlchemy itself takes for asyncpg."""

_HINTS: Final = {
    "connect_timeout": "set connect_timeout of the database in the settings",
    "statement_timeout": "set statement_timeout of the database in the settings",
    "pool_size": "set pool_size of the database in the settings",
    "connection_limit": "set pool_size of the database in the settings",
    "pool_timeout": "set pool_timeout of the database in the settings",
    "schema": "write options=-csearch_path=NAME",
    "currentSchema": "write options=-csearch_path=NAME",
    "search_path": "write options=-csearch_path=NAME",
    "client_encoding": "it is always UTF8, leave it out of the URL",
}
_SSL: Final = {"true": "require", "1": "require", "false": "disable", "0": "disable"}


def postgres_arguments(url: URL, driver: str) -> tuple[URL, dict[str, Any]]:
    """Return *url* without the words in its query, and what *driver* is given instead.

    Raises:
        DeclarationError: The driver cannot do one of them, a value is unknown, or a file cannot be read.
    """
    words = words_of(url)
    refuse_values(words, _POOLERS)
    for each in _POOLERS:
        _ = words.pop(each, None)
    if "ssl" in words:
        given = words.pop("ssl")
        _ = words.setdefault("sslmode", _SSL.get(given.lower(), given))
    known = _BOTH | (_OF_THE_DIALECT if driver == "asyncpg" else _PSYCOPG)
    instead = dict.fromkeys(
        _PSYCOPG, "name psycopg as the driver, postgresql+psycopg://, or leave it out of the URL"
    )
    refuse_unknown(words, known, driver, {**(instead if driver == "asyncpg" else {}), **_HINTS})
    refuse_values(words, _VALUES)
    refuse_absent_files(words, _FILES)
    plain = url.set(query={name: words.pop(name) for name in _OF_THE_DIALECT & words.keys()})
    hosts = _hosts_of(url, words)
    if driver == "psycopg":
        return plain, {**words, **_as_text(hosts)}
    # asyncpg takes these in the text of a URL only.
    dsn = {"dsn": f"postgresql://?{urlencode(words, quote_via=quote)}"} if words else {}
    return plain, {**dsn, **hosts}


def pooler_of(url: URL) -> PoolerMode:
    """Return what *url* says to stand between; `postgres_arguments` has refused what cannot."""
    words = words_of(url)
    match words.get("pooler"):
        case "session":
            return "session"
        case "transaction":
            return "transaction"
        case _:
            return "transaction" if words.get("pgbouncer") == "true" else "auto"


def with_pooler(url: URL, mode: PoolerMode) -> URL:
    """Return *url* with *mode* in it, so that all who open connections with it know: locks, migrations, listeners."""
    return url if mode == "auto" else url.update_query_dict({"pooler": mode})


def addresses_of(arguments: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the hosts that *arguments* of a driver name, with their ports, as far as they can be asked one by one."""
    hosts, ports = arguments.get("host", ()), arguments.get("port", ())
    if isinstance(hosts, str):
        hosts, ports = hosts.split(","), str(ports).split(",")
    return [(str(name), int(port)) for name, port in zip(hosts, ports, strict=False)]


def _hosts_of(url: URL, words: dict[str, str]) -> dict[str, list[Any]]:
    """Return the hosts and their ports that stand in the query of *url*, and take them from *words*."""
    given = url.query.get("host", ())
    several = given.split(",") if isinstance(given, str) else given
    _ = words.pop("host", None)
    ports = [each for each in words.pop("port", "").split(",") if each]
    if not several:
        return {"port": [int(ports[0])]} if ports else {}
    hosts, found = [], []
    for index, each in enumerate(several):
        name, port = _name_and_port(each)
        hosts.append(name)
        found.append(int(port or (ports[min(index, len(ports) - 1)] if ports else url.port or _PORT)))
    return {"host": hosts, "port": found}


def _name_and_port(host: str) -> tuple[str, str]:
    if host.startswith("/"):
        return host, ""
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and (name.count(":") == 0 or name.endswith("]")):
        return name.strip("[]"), port
    return host.strip("[]"), ""


def _as_text(hosts: dict[str, list[Any]]) -> dict[str, str]:
    return {name: ",".join(map(str, values)) for name, values in hosts.items()}
