"""`fastapi-easy consume`, as a user runs it."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fastapi_easy.domain.ports import BrokerMessage
from fastapi_easy.infrastructure.brokers.redis.broker import RedisBroker
from tests.e2e.commands import COMMAND, PATIENCE, environment
from tests.services.wanted import empty_database

BILLING = """
import asyncio
import pathlib

from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.messaging import consume


class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    book: str


async def bill(message, kernel, work):
    print("begun", flush=True)
    while not pathlib.Path("go-on").exists():
        await asyncio.sleep(0.01)
    return await work.repository("invoices").add({"book": message.data["title"]})


class Billing(Container):
    invoices = resource(Invoice)
    consumers = [consume("books.created", handle=bill), consume("invoices.create", command="invoices.create")]


app = create_app(Billing())
"""


@contextlib.contextmanager
def consuming(folder: Path, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*COMMAND, "consume", "billing:app"],
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        _ = process.communicate(timeout=PATIENCE)


def heard(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """What it prints, up to the line with *words*."""
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip())
        if words in line:
            return lines
    raise AssertionError((lines, process.communicate(timeout=PATIENCE)))


def test_says_what_it_listens_to_and_finishes_what_it_has_when_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "billing.py").write_text(BILLING)
    stored = f"sqlite:///{tmp_path / 'billing.sqlite3'}"

    async def publish(url: str) -> None:
        broker = RedisBroker(url, partitions=1, retention=600)
        try:
            body = json.dumps({"title": "Emma"}).encode()
            headers = {"content-type": "application/json"}
            message = BrokerMessage(id="m-1", topic="books.created", key="k", body=body, headers=headers)
            _ = (await broker.open()).unwrap()
            _ = (await broker.publish(message)).unwrap()
        finally:
            await broker.close()

    with empty_database("redis") as url:
        variables = {"FASTAPI_EASY_EVENTS__BROKER_URL": url, "FASTAPI_EASY_DATABASES__DEFAULT__URL": stored}
        with consuming(tmp_path, **variables) as process:
            announced = heard(process, "invoices.create")
            asyncio.run(publish(url))
            _ = heard(process, "begun")
            process.send_signal(signal.SIGTERM)
            (tmp_path / "go-on").touch()
            code = process.wait(PATIENCE)

    with contextlib.closing(sqlite3.connect(tmp_path / "billing.sqlite3")) as database:
        billed = database.execute("SELECT book FROM invoice").fetchall()
    assert announced == [
        "Consuming for billing:app (press Ctrl-C to stop)",
        "TOPIC            GROUP",
        "books.created    billing",
        "invoices.create  billing",
    ]
    assert (code, billed) == (0, [("Emma",)])
