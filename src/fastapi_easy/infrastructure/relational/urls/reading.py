"""Read the text of a database URL: several hosts, sockets, and passwords with characters that URLs use otherwise."""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from fastapi_easy.domain.errors import DeclarationError

_PARTS: Final = re.compile(r"(?P<scheme>[A-Za-z0-9+]+://)(?P<rest>[^/?].*)", re.DOTALL)
_HOST: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?", re.DOTALL)
_SOCKET: Final = re.compile(r"%2f|/", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")

_FORM: Final = "the database URL cannot be read; it looks like postgresql://user@host/name"
_UNREADABLE: Final = (
    "the part before the host in the database URL is read otherwise than it was meant: "
    "in the password write @ as %40, / as %2F and ? as %3F"
)
_PARTS_IN_QUERY: Final = {"user": "username", "password": "password", "dbname": "database"}


def read_url(text: str) -> URL:
    """Return the URL in *text*. Of several hosts each is a value of `host` in its query, as `name:port`.

    A password may hold `@`, `:`, `/`, `?` and `#` as they are, as long as no `@` follows a `/` or `?` in it.

    Raises:
        DeclarationError: It cannot be read. As it may hold a password, no message repeats it.
    """
    parts = _PARTS.fullmatch(text)
    credentials, hosts, tail = ("", "", "") if parts is None else _split(parts["rest"])
    several = [each for each in hosts.split(",") if each]
    _refuse_ports(several)
    # Several hosts, and the path of a socket, are put into the query below.
    host = "" if len(several) > 1 or _is_socket(several) else hosts
    try:
        url = make_url(text if parts is None else f"{parts['scheme']}{credentials}{host}{tail}")
    except (ArgumentError, ValueError):
        raise DeclarationError([_FORM]) from None
    url = _with_parts_of_query(url)
    if "@" in (url.database or ""):
        raise DeclarationError([_UNREADABLE])
    if _is_socket(several):
        name = "host" if url.get_backend_name() == "postgresql" else "unix_socket"
        return url.update_query_dict({name: unquote(several[0])})
    return url if host or not several else url.update_query_dict({"host": several})


def _split(rest: str) -> tuple[str, str, str]:
    """Return who logs in, as make_url reads it, the hosts, and what follows."""
    credentials, at, behind = rest.partition("@")
    if not at:
        credentials, behind = "", rest
    end = min((found for found in map(behind.find, "/?") if found >= 0), default=len(behind))
    hosts, tail = behind[:end], behind[end:]
    more, again, hosts = hosts.rpartition("@")
    credentials = f"{credentials}@{more}" if again else credentials
    if not at:
        return "", hosts, tail
    user, colon, password = credentials.partition(":")
    return f"{user}{colon}{_escaped(password)}@", hosts, tail


def _escaped(password: str) -> str:
    """Return *password* with every character escaped that is not yet."""
    return quote(unquote(password), safe="") if _ESCAPED.search(password) else quote(password, safe="")


def _is_socket(hosts: Sequence[str]) -> bool:
    return bool(hosts) and _SOCKET.match(hosts[0]) is not None


def _refuse_ports(hosts: Sequence[str]) -> None:
    for each in hosts:
        match = _HOST.fullmatch(each)
        if match is not None and match["port"] is not None and not match["port"].isdigit():
            raise DeclarationError(
                ["the port in the database URL is not a number: write it as host:5432, or leave it out"]
            )


def _with_parts_of_query(url: URL) -> URL:
    """Return *url* with what libpq takes in the query as well, `?user=…&dbname=…`, where other URLs have it."""
    found: dict[str, Any] = {
        part: value
        for word, part in _PARTS_IN_QUERY.items()
        if isinstance(value := url.query.get(word), str) and url.get_backend_name() != "sqlite"
    }
    return url.set(**found).difference_update_query(_PARTS_IN_QUERY) if found else url
