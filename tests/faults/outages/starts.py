"""Starts of a program whose database URL is wrong: what the command says, and with what it ends."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tests.e2e.commands import call
from tests.faults.outages.accounts import FIRST, Account

WRONG: Final = "wrong-secret"

CAUSES: Final = ("password", "database", "host", "port", "TLS")
"""What may be wrong."""

_TLS: Final = {"postgresql": "sslmode=require", "mysql": "ssl_mode=REQUIRED", "mongodb": "tls=true"}

_ROWS: Final = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Crate(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)


class Shop(Container):
    crates = resource(Crate)


shop = Shop()
app = create_app(shop)
"""

_DOCUMENTS: Final = (
    _ROWS.replace("from sqlmodel import Field, SQLModel", "from pydantic import BaseModel")
    .replace("(SQLModel, table=True)", "(BaseModel)")
    .replace("int | None = Field(default=None, primary_key=True)", "int | None = None")
    .replace("str = Field(max_length=40)", "str")
)

_TORTOISE: Final = """
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Crate(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=40)


class Shop(Container):
    crates = resource(Crate)


shop = Shop()
app = create_app(shop)
"""


def wrong_url(account: Account, driver: str, cause: str) -> str:
    """The URL of the account's database in which *cause* is wrong."""
    parts = urlsplit(account.url_with(driver))
    user = parts.netloc.rpartition("@")[0]
    match cause:
        case "password":
            return account.url_with(driver, password=WRONG)
        case "database":
            return account.url_with(driver, database="nosuchdatabase")
        case "host":
            return urlunsplit(parts._replace(netloc=f"{user}@nosuch.invalid:{parts.port}"))
        case "port":
            return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:1"))
        case _:
            query = "&".join(filter(None, (parts.query, _TLS[driver.partition("+")[0]])))
            return urlunsplit(parts._replace(query=query))


@dataclass(frozen=True, slots=True)
class Start:
    """How a command ended."""

    code: int
    said: str

    @property
    def is_clear(self) -> bool:
        """Whether it ended with one line about the database, without a traceback and without the secret."""
        about = [each for each in self.said.splitlines() if "default" in each]
        return self.code != 0 and len(about) == 1 and "Traceback" not in self.said and not self.has_leaked

    @property
    def has_leaked(self) -> bool:
        """Whether a password was said."""
        return WRONG in self.said or FIRST in self.said


def started(folder: Path, url: str, *command: str, tortoise: bool = False) -> Start:
    """What *command* comes to for a program whose database is at *url*."""
    program = _DOCUMENTS if url.startswith("mongodb") else _TORTOISE if tortoise else _ROWS
    _ = (folder / "crates.py").write_text(program)
    given = command or ("run", "crates:app", "--port", "0")
    ended = call(folder, *given, FASTAPI_EASY_DATABASES__DEFAULT__URL=url)
    return Start(ended.returncode, ended.stderr + ended.stdout)
