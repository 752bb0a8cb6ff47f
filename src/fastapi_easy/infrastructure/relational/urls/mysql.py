"""What URLs of MySQL and MariaDB say, for asyncmy and aiomysql."""

import ssl
from typing import Any, Final

from sqlalchemy import URL

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.relational.urls.words import (
    refuse_absent_files,
    refuse_unknown,
    refuse_values,
    words_of,
)

_MODES: Final = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_SYNONYMS: Final = {
    "DISABLE": "DISABLED",
    "FALSE": "DISABLED",
    "0": "DISABLED",
    "REQUIRE": "REQUIRED",
    "TRUE": "REQUIRED",
    "1": "REQUIRED",
    "VERIFY_FULL": "VERIFY_IDENTITY",
}
_NAMES: Final = {
    "socket": "unix_socket",
    "sslmode": "ssl_mode",
    "sslMode": "ssl_mode",
    "tls": "ssl_mode",
    "ssl": "ssl_mode",
    "sslrootcert": "ssl_ca",
    "sslcert": "ssl_cert",
    "sslkey": "ssl_key",
    "application_name": "program_name",
}
"""Other names of the same words."""

_FILES: Final = ("ssl_ca", "ssl_cert", "ssl_key", "read_default_file")
_TLS: Final = frozenset(
    {"ssl_mode", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_cipher", "ssl_check_hostname"}
)
_PLAIN: Final = frozenset(
    {"unix_socket", "charset", "program_name", "init_command", "read_default_file", "read_default_group"}
)
_HINTS: Final = {
    "host": "name one host, the drivers for MySQL take no more",
    "connect_timeout": "set connect_timeout of the database in the settings",
    "read_timeout": "set statement_timeout of the database in the settings",
    "pool_size": "set pool_size of the database in the settings",
    "time_zone": "it is always UTC, leave it out of the URL",
    "sql_mode": "write init_command=SET sql_mode=…",
}


def mysql_arguments(url: URL, driver: str) -> tuple[URL, dict[str, Any]]:
    """Return *url* without the words in its query, and what *driver* is given instead.

    Raises:
        DeclarationError: The driver cannot do one of them, a value is unknown, or a file cannot be read.
    """
    words: dict[str, Any] = {}
    for name, value in words_of(url).items():
        words.setdefault(_NAMES.get(name, name), value)
    several = ("host",) if "host" in url.query else ()
    refuse_unknown((*words, *several), _TLS | _PLAIN, driver, _HINTS)
    if "ssl_mode" in words:
        given = words["ssl_mode"].upper().replace("-", "_")
        words["ssl_mode"] = _SYNONYMS.get(given, given)
    refuse_values(words, {"ssl_mode": _MODES, "charset": ("utf8mb4",)})
    refuse_absent_files(words, _FILES)
    _ = words.pop("charset", None)
    tls = {name: words.pop(name) for name in _TLS & words.keys()}
    context = _context(tls) if tls else None
    return url.set(query={}), words if context is None else {**words, "ssl": context}


def _context(tls: dict[str, str]) -> ssl.SSLContext | None:
    """Return what encrypts connections; `None` where none is to be."""
    has_authority = "ssl_ca" in tls or "ssl_capath" in tls
    mode = tls.get("ssl_mode", "VERIFY_IDENTITY" if has_authority else "REQUIRED")
    if mode == "DISABLED":
        return None
    try:
        context = ssl.create_default_context(cafile=tls.get("ssl_ca"), capath=tls.get("ssl_capath"))
        checks_name = tls.get("ssl_check_hostname", "true").lower() not in {"false", "0"}
        context.check_hostname = mode == "VERIFY_IDENTITY" and checks_name
        if mode == "REQUIRED":
            context.verify_mode = ssl.CERT_NONE
        if "ssl_cert" in tls:
            context.load_cert_chain(tls["ssl_cert"], tls.get("ssl_key"))
        if "ssl_cipher" in tls:
            context.set_ciphers(tls["ssl_cipher"])
    except (ssl.SSLError, OSError) as error:
        raise DeclarationError(
            [f"the TLS files or ciphers of the database URL cannot be used: {error}"]
        ) from error
    return context
