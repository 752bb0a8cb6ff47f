"""A small application whose entries have a value of many kinds and a key of the caller's own."""

import datetime
import enum
import uuid
from decimal import Decimal
from pathlib import Path

from fastapi import FastAPI
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import QueryRules


class Account(enum.StrEnum):
    """Where an entry belongs."""

    CASH = "cash"
    BANK = "bank"


class Entry(SQLModel, table=True):
    """Something that was spent or earned."""

    __tablename__ = "ledger_entry"

    code: str = Field(max_length=40, primary_key=True)
    text: str = Field(max_length=200)
    amount: Decimal = Field(max_digits=12, decimal_places=2)
    account: Account = Account.CASH
    note: str | None = Field(default=None, max_length=200)
    number: int | None = None
    weight: float | None = None
    paid: bool = False
    day: datetime.date | None = None
    moment: datetime.datetime | None = None
    token: uuid.UUID | None = None


class Ledger(Container):
    """All entries."""

    entries = resource(Entry, query=QueryRules(search=["text"]), upsert=["code"])


def ledger() -> FastAPI:
    """The application, on the database the environment names; it also tells how much memory it takes."""
    app = create_app(Ledger())

    @app.get("/memory")
    async def memory() -> dict[str, int]:
        return memory_taken()

    return app


def memory_taken() -> dict[str, int]:
    """Bytes that this process takes now (`VmRSS`), and has taken at most (`VmHWM`)."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].strip(":"): int(words[1]) * 1024 for words in lines if words[0] in {"VmRSS:", "VmHWM:"}}
