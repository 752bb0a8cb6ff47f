"""What mends the mistakes of a program that other libraries, or Python itself, complain of."""

import difflib
import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Final

_EXTRAS: Final[Mapping[str, str]] = {
    "sqlalchemy": "sqlalchemy",
    "alembic": "sqlalchemy",
    "sqlmodel": "sqlmodel",
    "tortoise": "tortoise",
    "aiosqlite": "sqlite",
    "asyncpg": "postgres",
    "psycopg": "psycopg",
    "aiomysql": "mysql",
    "asyncmy": "mysql-fast",
    "pymongo": "mongo",
    "motor": "motor",
    "redis": "redis",
    "faststream": "nats",
    "nats": "nats",
    "yaml": "yaml",
    "jwt": "jwt",
    "itsdangerous": "sessions",
    "cryptography": "encryption",
    "argon2": "passwords",
    "limits": "limits",
    "httpcore2": "webhooks",
    "websockets": "websockets",
    "casbin": "casbin",
    "prometheus_client": "metrics",
    "httpx2": "testing",
    "hypothesis": "testing",
}


_KEY: Final = "could not assemble any primary key columns"
"""What SQLAlchemy says of a class without a key."""

_UNKNOWN_ARGUMENT: Final = re.compile(
    r"(?P<call>\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(?P<name>\w+)'"
)

_OURS: Final = (
    "fastapi_easy.container",
    "fastapi_easy.bootstrap",
    "fastapi_easy.domain.resources.options",
    "fastapi_easy.domain.resources.recording",
)
"""Where the functions and classes are that programs declare with."""


def remedy_for(error: Exception) -> str:
    """Return what mends *error*, as the end of a sentence; empty when that is not known."""
    said = str(error)
    if isinstance(error, ModuleNotFoundError):
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        return f'pip install "fastapi_easy[{extra}]"' if extra else "install it, or correct its name"
    if _KEY in said:
        return "give the class a key, like id: int | None = Field(default=None, primary_key=True)"
    if isinstance(error, TypeError) and (match := _UNKNOWN_ARGUMENT.search(said)):
        return _find_argument(match["call"], match["name"])
    return ""


def _find_argument(call: str, name: str) -> str:
    """Return which argument of *call*, one of ours, was meant by *name*."""
    for module in _OURS:
        found = getattr(importlib.import_module(module), call, None)
        if found is not None:
            known = [each for each in inspect.signature(found).parameters if each != "self"]
            near = difflib.get_close_matches(name, known, n=1)
            return f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
    return ""
