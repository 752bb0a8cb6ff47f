"""Keys: where they come from, what is said when they are wrong, and the commands about them."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from returns.result import Success

from fastapi_easy.application.secrets.rotate_secrets import Rotation
from fastapi_easy.application.webhooks.stored_secrets import StoredSecrets
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.composition.secrets.stored_secrets import open_stored_secrets
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.encryption import AesGcmCipher, decode_key
from fastapi_easy.interfaces.cli.targets import load
from fastapi_easy.interfaces.cli.tasks import Target
from fastapi_easy.settings import EncryptionSettings, Settings
from fastapi_easy.testing.kernel import in_memory
from fastapi_easy.webhooks import open_webhooks
from tests.e2e.audited_shop import SqlShop
from tests.e2e.commands import PATIENCE
from tests.e2e.secret_customers import Customers, Patrons, key, settings
from tests.forked import run_command

ROOT = Path(__file__).parents[2]

PROGRAM = """
from fastapi_easy.bootstrap import create_app
from tests.e2e.secret_customers import Customers

app = create_app(Customers())
"""


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (EncryptionSettings(), "there is no key: print one with `fastapi-easy secrets generate`"),
        (EncryptionSettings(keys={"a": "hush-hush"}, current="a"), "encryption.keys.a is not 32 bytes"),
        (EncryptionSettings(keys={"a": key("a")}), "encryption.current is not set"),
        (
            EncryptionSettings(keys={"a": key("a")}, current="b"),
            "encryption.current is 'b', which is not among",
        ),
    ],
    ids=["none", "no key", "none is current", "unknown"],
)
def test_a_start_says_what_is_wrong_with_the_keys_and_shows_none(
    chosen: EncryptionSettings, sentence: str
) -> None:
    shop = Customers(settings=Settings(encryption=chosen))

    with pytest.raises(DeclarationError) as raised:
        _ = create_app(shop)

    assert sentence in str(raised.value)
    assert not [text for text in ("hush-hush", key("a")) if text in str(raised.value) + repr(chosen)]


async def test_a_cipher_of_the_programs_own_needs_no_keys_in_the_settings() -> None:
    decoded = decode_key(key("own"))
    assert decoded is not None
    cipher = AesGcmCipher({"own": decoded}, "own")
    shop: Any = in_memory(Patrons, cipher=cipher)

    async with open_kernel(shop) as kernel:
        created = (await kernel.customers.create(name="Ann", iban="DE1")).unwrap()
        found = (await kernel.customers.list(iban="DE1")).unwrap().items
        stored = await shop.customers.repository().stored.read(created["id"])

    assert [row["id"] for row in found] == [created["id"]]
    assert stored.unwrap()["iban"].startswith("fe1:own:")


async def test_a_cipher_is_overridden_on_a_running_application() -> None:
    decoded = decode_key(key("other"))
    assert decoded is not None
    shop: Any = in_memory(Patrons, cipher=AesGcmCipher({"own": bytes(32)}, "own"))

    async with open_kernel(shop) as kernel:
        with shop.cipher.override(AesGcmCipher({"other": decoded}, "other")):
            created = (await kernel.customers.create(name="Ann", notes="x")).unwrap()
            inside = await kernel.customers.get(created["id"])
        outside = await kernel.customers.get(created["id"])

    assert isinstance(inside, Success)
    assert outside.failure().code == "unreadable_entity"


async def test_the_commands_count_rotate_and_say_what_they_did(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    (tmp_path / "shop.py").write_text(PROGRAM)
    async with open_kernel(Customers(settings=settings(url, "a"))) as kernel:
        _ = (await kernel.customers.create(name="Ann", iban="DE1")).unwrap()
    environment = {
        "FASTAPI_EASY_DATABASES__DEFAULT__URL": url,
        "FASTAPI_EASY_ENCRYPTION__KEYS__A": key("a"),
        "FASTAPI_EASY_ENCRYPTION__KEYS__B": key("b"),
        "FASTAPI_EASY_ENCRYPTION__CURRENT": "b",
    }

    generated = await run(tmp_path, environment, "generate")
    rotated = await run(tmp_path, environment, "rotate", "shop:app", "--json")
    status = await run(tmp_path, environment, "status", "shop:app", "--resource", "customers")

    assert decode_key(generated[1]) is not None
    assert json.loads(rotated[1]) == [{"resource": "customers", "examined": 1, "changed": 1, "unreadable": 0}]
    assert [line.split() for line in status[1].splitlines()] == [
        ["RESOURCE", "FIELD", "KEY", "VALUES"],
        ["customers", "iban", "b", "(current)", "1"],
        ["customers", "notes", "b", "(current)", "1"],
    ]
    assert [each[0] for each in (generated, rotated, status)] == [0, 0, 0]


WITH_WEBHOOKS = """
from sqlmodel import Field, SQLModel

from fastapi_easy.container import Container, resource


class Order(SQLModel, table=True):
    __tablename__ = "orders_with_webhooks"
    id: int | None = Field(default=None, primary_key=True)


class Shop(Container):
    orders = resource(Order, events=True)
"""


async def test_the_commands_count_and_rotate_secrets_of_webhooks_as_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    (tmp_path / "shop_with_webhooks.py").write_text(WITH_WEBHOOKS)
    program: Any = load(Target(path="shop_with_webhooks:Shop", folder=tmp_path))

    def shop(**encryption: Any) -> Any:
        values = {"databases": {"default": {"url": url}}, "webhooks": {"enabled": True}}
        return program(settings=Settings.model_validate({**values, "encryption": encryption}))

    given: dict[str, str] = {}
    for keys in ({}, {"keys": {"a": key("a")}, "current": "a"}):
        async with open_webhooks(shop(**keys)) as webhooks:
            added = (await webhooks.add("https://hooks.example/")).unwrap()
            given[added.webhook.id] = added.secret
    environment = {
        "FASTAPI_EASY_DATABASES__DEFAULT__URL": url,
        "FASTAPI_EASY_WEBHOOKS__ENABLED": "true",
        "FASTAPI_EASY_ENCRYPTION__KEYS__A": key("a"),
        "FASTAPI_EASY_ENCRYPTION__KEYS__B": key("b"),
        "FASTAPI_EASY_ENCRYPTION__CURRENT": "b",
    }

    target = "shop_with_webhooks:Shop"
    before = await run(tmp_path, environment, "status", target, "--json")
    tried = await run(tmp_path, environment, "rotate", target, "--dry-run", "--json")
    rotated = await run(tmp_path, environment, "rotate", target, "--resource", "fe_webhooks", "--json")
    after = await run(tmp_path, environment, "status", target, "--json")

    done = [{"resource": "fe_webhooks", "examined": 2, "changed": 2, "unreadable": 0}]
    counts = [
        [(each["resource"], each["field"], each["key"], each["values"]) for each in json.loads(printed)]
        for _, printed in (before, after)
    ]
    assert counts[0] == [("fe_webhooks", "secrets", "a", 1), ("fe_webhooks", "secrets", "plaintext", 1)]
    assert counts[1] == [("fe_webhooks", "secrets", "b", 2)]
    assert [json.loads(printed) for _, printed in (tried, rotated)] == [done, done]
    later = shop(keys={"b": key("b")}, current="b")
    async with open_webhooks(later) as webhooks:
        stored = [each.webhook for each in (await webhooks.list()).unwrap()]
    secrets = StoredSecrets(later.cipher())
    assert {each.id: secrets.read(each) for each in stored} == {
        name: (secret,) for name, secret in given.items()
    }


async def test_keys_of_people_in_the_trail_are_counted_and_stay(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    values = {"databases": {"default": {"url": url}}, "audit": {"keys": {"k1": key("c")}}}
    for current in ("a", "b"):
        keys = {"keys": {"a": key("a"), "b": key("b")}, "current": current}
        shop: Any = SqlShop(settings=Settings.model_validate({**values, "encryption": keys}))
        async with open_kernel(shop) as kernel:
            for number in (1, 2):
                person = {"id": number + 10 * (current == "b"), "email": "ann@example.org"}
                _ = (await kernel.people.create(person)).unwrap()

    rotated: list[Rotation] = []
    async with open_stored_secrets(shop) as (subjects,):
        before = (await subjects.count()).unwrap()
        _ = (await subjects.rotate(rotated.append)).unwrap()
        after = (await subjects.count()).unwrap()

    assert [(each.resource, each.field, dict(each.values)) for each in before] == [
        ("fe_audit_subject", "wrapped", {"a": 2, "b": 2})
    ]
    assert after == before
    assert [(each.examined, each.changed) for each in rotated] == [(4, 0)]


async def run(folder: Path, environment: dict[str, str], *words: str) -> tuple[int | None, str]:
    """Return how `secrets` with *words* ended, and what it printed."""
    variables = {**os.environ, **environment}
    done = await asyncio.to_thread(run_command, ["secrets", *words], folder, variables, PATIENCE)
    return done.returncode, done.stdout
