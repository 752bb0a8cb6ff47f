"""Passwords: written, verified, never read."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain.changes.change import BeforeCreate
from fastapi_easy.domain.changes.events import EntityCreated, EntityUpdated
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.values.passwords import PasswordHash
from fastapi_easy.passwords import Argon2PasswordHasher
from tests.e2e.secret_customers import Clients, Customers, Orders, Patrons, settings
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store

RIGHT, WRONG = "correct horse", "battery staple"


@pytest.fixture(params=[Customers, Clients, Patrons], ids=["sqlmodel", "tortoise", "memory"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with empty_store("memory" if request.param is Patrons else "sqlite", tmp_path) as url:
        yield request.param(settings=settings(url, "a"))


class RecordingHasher(Argon2PasswordHasher):
    """Notes what was verified."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str | None] = []

    async def verify(self, stored: str | None, password: str, /) -> bool:
        self.verified.append(stored)
        return await super().verify(stored, password)


async def stored_password(shop: Any) -> str:
    page = await shop.customers.repository().stored.select(Query())
    return str(page.unwrap().items[0]["password"])


async def test_a_password_is_verified_and_shown_by_nothing(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[Any] = []

    async def note(event: Any) -> None:
        told.append(event)

    for kind in (BeforeCreate, EntityCreated, EntityUpdated):
        _ = shop.event_bus().subscribe(kind, note)

    async with client_of(create_app(shop)) as client:
        created = await client.post("/customers", json={"name": "Ann", "password": RIGHT})
        path = f"/customers/{created.json()['id']}"
        changed = await client.patch(path, json={"password": WRONG})
        back = await client.patch(path, json={"password": RIGHT})
        short = await client.patch(path, json={"password": "short"})
        long = await client.patch(path, json={"password": "é" * 600})
        answers = [
            created,
            changed,
            back,
            short,
            long,
            await client.get(path),
            await client.get("/customers"),
            await client.get("/customers/export"),
        ]
        filtered = await client.get("/customers", params={"password": RIGHT})
        kernel = shop.kernel()
        key = {"id": created.json()["id"]}
        right = (await kernel.customers.verify_password(key, RIGHT)).unwrap()
        wrong = (await kernel.customers.verify_password(key, WRONG)).unwrap()
        nobody = (await kernel.customers.verify_password({"id": 99}, RIGHT)).unwrap()
        odd = (await kernel.customers.verify_password({"id": "x\0"}, RIGHT)).unwrap()
        endless = (await kernel.customers.verify_password(key, "x" * 5000)).unwrap()

    assert [each.status_code for each in answers] == [201, 200, 200, 422, 422, 200, 200, 200]
    assert filtered.status_code == 400
    assert right is not None
    assert right["name"] == "Ann"
    assert "password" not in right
    assert (wrong, nobody, odd, endless) == (None, None, None, None)
    said = "".join(each.text for each in answers) + repr(told) + caplog.text
    assert len(told) == 4
    assert not [text for text in (RIGHT, WRONG, "$argon2") if text in said]


async def test_an_entity_that_is_saved_as_a_whole_keeps_its_password(shop: Any) -> None:
    async with open_kernel(shop) as kernel:
        key = (await kernel.customers.create(name="Ann", password=RIGHT)).unwrap()["id"]
        before = await stored_password(shop)
        async with shop.unit_of_work() as work:
            ann = (await work.entities("customers").find_by_id(key)).unwrap()
            ann.name = "Anna"
            _ = (await work.entities("customers").save(ann)).unwrap()
            _ = (await work.commit()).unwrap()
        after = await stored_password(shop)
        row = (await kernel.customers.get(key)).unwrap()

    assert row["name"] == "Anna"
    assert after == before


async def test_a_password_that_looks_like_a_hash_is_a_password(shop: Any) -> None:
    made = await Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("someone else's")

    async with open_kernel(shop) as kernel:
        key = (await kernel.customers.create(name="Ann", password=str(made))).unwrap()["id"]
        as_hash = (await kernel.customers.verify_password({"id": key}, "someone else's")).unwrap()
        as_text = (await kernel.customers.verify_password({"id": key}, str(made))).unwrap()

    assert as_hash is None
    assert as_text is not None
    assert repr(made) == "PasswordHash(…)"


async def test_the_system_moves_hashes_as_they_are(shop: Any) -> None:
    made = await Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(RIGHT)

    async with open_kernel(shop) as kernel:
        async with shop.unit_of_work() as work:
            added = (
                await work.as_system().repository("customers").add({"name": "Ann", "password": made})
            ).unwrap()
            _ = (await work.commit()).unwrap()
        found = (await kernel.customers.verify_password({"id": added["id"]}, RIGHT)).unwrap()

    assert type(added["password"]) is PasswordHash
    assert found is not None


async def test_accounts_that_do_not_exist_or_have_no_password_take_the_same_work(shop: Any) -> None:
    hasher = RecordingHasher()

    with shop.password_hasher.override(hasher):
        async with open_kernel(shop) as kernel:
            key = (await kernel.customers.create(name="Ann")).unwrap()["id"]
            found = [
                (await kernel.customers.verify_password({"id": each}, RIGHT)).unwrap() for each in (key, 99)
            ]

    assert found == [None, None]
    assert hasher.verified == [None, None]


async def test_a_hash_with_other_parameters_is_renewed_when_its_password_is_verified(shop: Any) -> None:
    async with open_kernel(shop) as kernel:
        key = (await kernel.customers.create(name="Ann", password=RIGHT)).unwrap()["id"]
        with shop.password_hasher.override(Argon2PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)):
            wrong = (await kernel.customers.verify_password({"id": key}, WRONG)).unwrap()
            before = await stored_password(shop)
            right = (await kernel.customers.verify_password({"id": key}, RIGHT)).unwrap()
            after = await stored_password(shop)
            again = (await kernel.customers.verify_password({"id": key}, RIGHT)).unwrap()

    assert wrong is None
    assert "m=8,t=1" in before
    assert "m=16,t=2" in after
    assert None not in (right, again)


async def test_what_could_mean_several_accounts_is_refused(tmp_path: Path) -> None:
    shop = Orders(settings=settings(f"sqlite:///{tmp_path / 'shop.sqlite3'}", "a"))

    async with open_kernel(shop) as kernel:
        _ = (await kernel.customers.create(name="Ann", iban="DE1", password=RIGHT)).unwrap()
        by_secret = (await kernel.customers.verify_password({"iban": "DE1"}, RIGHT)).unwrap()
        with pytest.raises(DeclarationError, match="could mean several entities"):
            _ = await kernel.customers.verify_password({"name": "Ann"}, RIGHT)
        with pytest.raises(DeclarationError, match=r"fields\.password"):
            _ = await kernel.orders.verify_password({"id": 1}, RIGHT)

    assert by_secret is not None


async def test_an_import_and_a_bulk_hash_every_password(shop: Any) -> None:
    lines = "\n".join(json.dumps({"name": f"n{n}", "password": f"{RIGHT} {n}"}) for n in range(3))

    async with client_of(create_app(shop)) as client:
        imported = await client.post(
            "/customers/import", content=lines, headers={"Content-Type": "application/x-ndjson"}
        )
        bulk = await client.post(
            "/customers/bulk", json={"items": [{"create": {"name": "b", "password": RIGHT}}]}
        )
        page = await shop.customers.repository().stored.select(Query())

    assert (imported.status_code, bulk.status_code) == (200, 200)
    stored = [row["password"] for row in page.unwrap().items]
    assert len(set(stored)) == 4
    assert all(each.startswith("$argon2id$") for each in stored)
