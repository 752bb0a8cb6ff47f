"""The audit trail on the command line, as an operator uses it."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fastapi_easy.__main__ import command_line
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.interfaces.cli.targets import load
from fastapi_easy.interfaces.cli.tasks import Target
from fastapi_easy.settings import Settings

SHOP = """
from decimal import Decimal

from sqlmodel import Field, SQLModel

from fastapi_easy.container import Container, resource


class Book(SQLModel, table=True):
    __tablename__ = "{name}"
    id: int | None = Field(default=None, primary_key=True)
    title: str
    price: Decimal = Field(max_digits=10, decimal_places=2)


class Shop(Container):
    books = resource(Book, audit=True)


class Plain(Container):
    books = resource(Book)
"""


class Operator:
    """Runs commands on a program in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = f"audited_{folder.name}"
        self.shop = f"{self.module}:Shop"
        (folder / f"{self.module}.py").write_text(SHOP.format(name=self.module))
        self.audit: dict[str, Any] = {
            "streams": 1,
            "keys": {"k1": self.run("secrets", "generate").stdout.strip()},
        }

    def sign(self) -> None:
        """Have a key, an anchor and an archive from now on."""
        self.audit["checkpoints"] = {
            "signing_keys": [self.run("audit", "keygen", "shop.example").stdout.strip()],
            "anchors": [str(self.folder / "outside" / "anchor.ndjson")],
            "archive": str(self.folder / "archive"),
        }

    def run(self, *arguments: str) -> Result:
        """Carry out a command in this process."""
        found = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": self.url}
        if hasattr(self, "audit"):
            found["FASTAPI_EASY_AUDIT"] = json.dumps(self.audit)
        folder = ["--app-dir", str(self.folder)] if ":" in "".join(arguments[1:3]) else []
        return CliRunner().invoke(command_line(), [*arguments, *folder], env=found)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'shop.sqlite3'}"

    def write(self) -> None:
        """Create a book, and change its price three times."""
        settings = Settings(databases={"default": {"url": self.url}}, audit=self.audit)
        shop: Any = load(Target(path=self.shop, folder=self.folder))

        async def change() -> None:
            async with open_kernel(shop(settings=settings)) as kernel:
                book = (await kernel.books.create(title="Emma", price="9.50")).unwrap()
                for price in ("8.00", "7.00", "6.00"):
                    _ = (await kernel.books.update(book["id"], price=price)).unwrap()

        asyncio.run(change())

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def verify(self, *arguments: str) -> tuple[int, list[tuple[str, str, int, int]]]:
        done = self.run("audit", "verify", *arguments, "--json")
        report: Any = json.loads(done.stdout)
        return done.exit_code, [
            (each["kind"], each["stream"], each["seq"], each["last"])
            for trail in report["trails"]
            for each in trail["findings"]
        ]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_a_trail_is_anchored_verified_proved_exported_and_archived(
    operator: Operator, tmp_path: Path
) -> None:
    operator.write()
    assert operator.verify(operator.shop) == (2, [("unanchored", "", 0, 0)])
    assert "audit keygen" in operator.run("audit", "anchor", operator.shop).stderr

    operator.sign()
    anchored = operator.run("audit", "anchor", operator.shop)
    assert anchored.stdout == "shop.example/default/changes-00: 4 entries are signed and anchored.\n", (
        anchored.stderr
    )
    assert operator.verify(operator.shop) == (0, [])

    (tmp_path / "public.json").write_text(operator.run("audit", "keys", operator.shop).stdout)
    (tmp_path / "entry.proof").write_text(
        operator.run("audit", "prove", operator.shop, "changes-00", "3").stdout
    )
    proved = operator.run(
        "audit",
        "verify",
        "--proof",
        operator.path("entry.proof"),
        "--keys",
        operator.path("public.json"),
        "--json",
    )
    assert json.loads(json.loads(proved.stdout)["body"])["changes"] == {"price": ["8.00", "7.00"]}
    assert operator.run("audit", "consistency", operator.shop, "changes-00", "4", "4").exit_code == 0

    export = ("audit", "export", operator.shop, "--cursor", operator.path("cursor.json"))
    assert len(operator.run(*export).stdout.splitlines()) == 4
    assert operator.run(*export).stdout == ""
    for form, member in (("otel", "eventName"), ("cloudevents", "type")):
        lines = operator.run("audit", "export", operator.shop, "--format", form).stdout.splitlines()
        assert [json.loads(each)[member] for each in lines] == [
            "audit.books.create",
            *["audit.books.update"] * 3,
        ]

    archived = json.loads(
        operator.run("audit", "archive", operator.shop, "--older-than", "0", "--json").stdout
    )
    assert [(each["stream"], each["first"], each["last"]) for each in archived] == [("changes-00", 1, 4)]
    code, findings = operator.verify(operator.shop)
    assert (code, [each[:2] for each in findings]) == (0, [("unsigned-tail", "security")])
    assert operator.verify("--archive", operator.path("archive"), "--keys", operator.path("public.json")) == (
        0,
        [],
    )


def test_the_relay_signs_and_anchors(operator: Operator) -> None:
    operator.sign()
    operator.write()

    relayed = operator.run("relay", operator.shop, "--once")

    assert relayed.exit_code == 0, relayed.stderr
    assert operator.verify(operator.shop) == (0, [])


def test_an_attack_is_named_and_nothing_is_signed_any_more(operator: Operator) -> None:
    operator.sign()
    operator.write()
    assert operator.run("audit", "anchor", operator.shop).exit_code == 0
    attacked = sqlite3.connect(operator.path("shop.sqlite3"))
    for (name,) in attacked.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        attacked.execute(f"DROP TRIGGER {name}")
    attacked.execute("UPDATE fe_audit SET body = replace(body, '7.00', '1.00') WHERE seq = 3")
    attacked.execute("DELETE FROM fe_audit WHERE seq = 4")
    attacked.commit()
    attacked.close()

    code, findings = operator.verify(operator.shop)

    assert code == 1
    assert [each for each in findings if each[0] != "unsigned-tail"] == [
        ("edited", "changes-00", 3, 3),
        ("truncated", "changes-00", 4, 4),
    ]
    refused = operator.run("audit", "anchor", operator.shop)
    assert refused.exit_code == 1
    assert "is not signed" in refused.stdout


def test_an_anchor_that_is_not_there_is_a_mistake_and_no_verdict(operator: Operator) -> None:
    operator.write()
    refused = operator.run("audit", "verify", operator.shop, "--anchor", operator.path("nothing.ndjson"))
    assert refused.exit_code == 2
    assert "is not a file with checkpoints" in refused.stderr


def test_a_program_that_audits_nothing_is_told_so(operator: Operator) -> None:
    refused = operator.run("audit", "verify", f"{operator.module}:Plain")
    assert refused.exit_code == 2
    assert "declare a resource with audit=True" in refused.stderr
