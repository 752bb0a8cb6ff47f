"""What the audit trail says of refusals, and of what operators do; and what nobody can do to it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from returns.result import Failure
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.authentication import ApiKeys, open_keyring
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Principal
from fastapi_easy.infrastructure.audit.relational.grants import grant_statements
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.interfaces.cli.control import send_to_processes
from fastapi_easy.policies import ANYONE, Where, allow, principal
from fastapi_easy.testing import FrozenClock, RecordingAuditSink, in_memory
from tests.e2e.audited_shop import Note, audited_shop, entries_of, make_shop
from tests.e2e.stores import empty_store

EVE, BOB = Principal(id="eve"), Principal(id="bob")


class Guarded(Container):
    notes = resource(
        Note,
        audit=True,
        policy=[allow("get", "list", to=ANYONE), allow("create", to="writer")],
    )


def security_of(recorded: RecordingAuditSink) -> list[tuple[object, ...]]:
    return [
        (each.action, each.resource, each.outcome, each.actor, dict(each.changes))
        for each in recorded.entries
        if each.stream == "security" and each.action != "policy.changed"
    ]


async def test_a_refusal_is_recorded_once_and_its_repetitions_are_counted() -> None:
    clock = FrozenClock()
    shop = in_memory(Guarded, clock=clock)
    recorded = RecordingAuditSink.of(shop.audit_trail())

    async with open_kernel(shop) as kernel:
        caller = kernel.acting_as(EVE)
        for _ in range(4):
            assert isinstance(await caller.notes.create(id=1, text="mine"), Failure)
        assert security_of(recorded) == [("create", "notes", "forbidden", "eve", {})]
        clock.advance(61)
        assert isinstance(await kernel.acting_as(BOB).notes.create(id=1, text="mine"), Failure)

        assert security_of(recorded)[1:] == [
            ("create", "notes", "forbidden", "eve", {"repeated": 3}),
            ("create", "notes", "forbidden", "bob", {}),
        ]


async def test_refusals_that_are_too_many_to_be_told_apart_are_counted_together() -> None:
    shop = in_memory(Guarded)
    recorded = RecordingAuditSink.of(shop.audit_trail())
    log = SecurityLog(shop.audit_trail(), kinds=2)

    async with log.opened():
        for number in range(6):
            await log.refuse("get", actor=f"caller-{number}", resource="notes", outcome="forbidden")

    assert security_of(recorded) == [
        ("get", "notes", "forbidden", "caller-0", {}),
        ("get", "notes", "forbidden", "caller-1", {}),
        ("others", "", "forbidden", "", {}),
        ("others", "", "forbidden", "", {"repeated": 3}),
    ]


class Owned(Container):
    notes = resource(
        Note,
        audit=True,
        policy=[
            allow("create", "list", to=ANYONE),
            allow("get", to=ANYONE, rows=Where("text") == principal.id),
        ],
    )


async def test_what_is_hidden_from_a_caller_is_a_refusal_in_the_trail() -> None:
    shop = in_memory(Owned)
    recorded = RecordingAuditSink.of(shop.audit_trail())

    async with open_kernel(shop) as kernel:
        async with shop.unit_of_work() as work:
            _ = await work.as_system().repository("notes").add({"id": 1, "text": "bob"})
            (await work.commit()).unwrap()
        assert isinstance(await kernel.acting_as(EVE).notes.get(1), Failure)
        assert isinstance(await kernel.acting_as(EVE).notes.get(2), Failure)
        assert not isinstance(await kernel.acting_as(BOB).notes.get(1), Failure)

    assert security_of(recorded) == [("get", "notes", "hidden", "eve", {})]


async def test_operators_and_failed_authentication_leave_traces(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        shop = make_shop("sqlite", url, api_keys=ApiKeys())
        async with open_keyring(shop) as keyring:
            issued = (await keyring.create("user:42", scopes=["notes:list"])).unwrap()
        app = create_app(shop)
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://shop") as client,
        ):
            wrong = {"authorization": "Bearer fek_wrong", "x-correlation-id": "try-1"}
            assert (await client.get("/notes", headers=wrong)).status_code == 401
            assert (await client.get("/notes")).status_code == 401
            (await shop.keyring().revoke(issued.key.id)).unwrap()
            async with shop.locks().hold("invoice") as lease:
                _ = await shop.locks().evict("invoice", token=lease.token, reason="stuck")
        async with open_kernel(shop):
            entries = await entries_of(shop, stream="security")

    found = [(each.action, each.outcome, each.correlation_id) for each in entries]
    assert ("api_key.created", "ok", "") in found
    assert ("authentication.refused", "unauthenticated", "try-1") in found
    assert [outcome for action, outcome, _ in found if action == "list"] == ["unauthenticated"]
    assert {"api_key.revoked", "policy.changed"} <= {action for action, _, _ in found}
    (evicted,) = [each for each in entries if each.action == "lock.evicted"]
    assert evicted.changes["lock"] == "invoice"
    assert evicted.changes["reason"] == "stuck"
    assert issued.text not in json.dumps([dict(each.changes) for each in entries])


async def test_an_operator_who_isolates_a_dependency_leaves_a_trace(tmp_path: Path) -> None:
    control = tmp_path / "control"
    shop = in_memory(Guarded)
    shop.breakers.default.override(CircuitBreaker(BreakerLimits()))
    shop.settings.override(shop.settings().model_copy(update={"control": control}))
    recorded = RecordingAuditSink.of(shop.audit_trail())

    async with open_kernel(shop):
        for action in ("isolate", "reset", "show"):
            request = {"do": action, "database": "default"}
            _ = await asyncio.to_thread(lambda given=request: list(send_to_processes(control, given)))

    assert security_of(recorded) == [
        ("breaker.isolate", "", "ok", "", {"breaker": "default"}),
        ("breaker.reset", "", "ok", "", {"breaker": "default"}),
    ]


async def test_a_policy_that_has_changed_since_the_last_start_is_told_of(tmp_path: Path) -> None:
    class Before(Container):
        notes = resource(Note, audit=True, policy=[allow("get", to=ANYONE)])

    class After(Container):
        notes = resource(Note, audit=True, policy=[allow("get", "list", to=ANYONE)])

    database = in_memory(Before)
    fingerprints: list[tuple[Any, Any]] = []
    for kind in (Before, Before, After):
        shop: Any = in_memory(kind)
        shop.databases.default.override(database.databases.default())
        async with open_kernel(shop):
            pass
        fingerprints = [
            (each.changes["before"], each.changes["fingerprint"])
            for each in await entries_of(shop, stream="security")
            if each.action == "policy.changed"
        ]

    (nothing, first), (before, second) = fingerprints
    assert nothing is None
    assert before == first != second


def attempts(connection: Connection) -> dict[str, bool]:
    """What the owner of the tables can do, by mistake."""
    tried = {
        "update": "UPDATE fe_audit SET actor = 'nobody'",
        "delete": "DELETE FROM fe_audit",
        "head back": "UPDATE fe_audit_head SET seq = 0",
        "head away": "DELETE FROM fe_audit_head",
        "other key": "UPDATE fe_audit_subject SET wrapped = 'x'",
        "body away, actor other": "UPDATE fe_audit SET body = NULL, actor = 'nobody'",
    }
    if connection.dialect.name == "postgresql":
        tried["truncate"] = "TRUNCATE fe_audit"
    if connection.dialect.name == "sqlite":
        tried["replace"] = "INSERT OR REPLACE INTO fe_audit SELECT * FROM fe_audit"
    return {name: _is_permitted(connection, statement) for name, statement in tried.items()}


def _is_permitted(connection: Connection, statement: str) -> bool:
    try:
        _ = connection.execute(text(statement))
    except DBAPIError:
        return False
    return True


@pytest.mark.parametrize("store", ["sqlite", "postgres", "mariadb"])
async def test_what_is_recorded_cannot_be_changed_by_mistake(store: str, tmp_path: Path) -> None:
    async with audited_shop(store, tmp_path) as (shop, kernel):
        (await kernel.people.create(id=1, email="eve@example.org")).unwrap()
        executor = shop.databases.default().executor

        permitted = await executor.run_sync(attempts)

        assert permitted == dict.fromkeys(permitted, False)
        assert len(await entries_of(shop)) == 1
        weaknesses = (await shop.audit_trail().sinks["default"].find_weaknesses()).unwrap()
        owns = [] if store == "sqlite" else ["the user of the application may UPDATE, DELETE"]
        assert [
            each.partition(", drop")[0].partition(", TRUNC")[0].partition(" in ")[0] for each in weaknesses
        ] == owns


async def test_a_missing_trigger_is_a_weakness_and_comes_back_at_start(tmp_path: Path) -> None:
    async with audited_shop("sqlite", tmp_path) as (shop, _):
        sink = shop.audit_trail().sinks["default"]

        def drop(connection: Connection) -> None:
            _ = connection.exec_driver_sql("DROP TRIGGER fe_audit_delete")

        await shop.databases.default().executor.run_sync(drop)

        (weakness,) = (await sink.find_weaknesses()).unwrap()
        assert weakness.startswith("the trigger fe_audit_delete is missing")
        assert (await sink.prepare()).unwrap() == ()
        assert (await sink.find_weaknesses()).unwrap() == ()


async def test_a_strict_application_does_not_start_as_the_owner_of_its_trail(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as url:
        strict: Any = make_shop("postgres", url)
        settings = strict.settings().model_copy(
            update={"audit": strict.settings().audit.model_copy(update={"strict": True})}
        )
        strict.settings.override(settings)

        with pytest.raises(DeclarationError, match="let another user own the tables"):
            async with open_kernel(strict):
                pass


async def test_a_role_with_the_grants_can_write_and_archive_and_nothing_else(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as url:
        shop = make_shop("postgres", url)
        async with open_kernel(shop) as kernel:
            (await kernel.notes.create(id=1, text="one")).unwrap()
            executor = shop.databases.default().executor

            def as_role(connection: Connection) -> dict[str, bool]:
                for each in ("DROP ROLE IF EXISTS audit_writer", "CREATE ROLE audit_writer"):
                    _ = connection.exec_driver_sql(each)
                for each in grant_statements("postgresql", "audit_writer"):
                    _ = connection.exec_driver_sql(each)
                _ = connection.exec_driver_sql("SET ROLE audit_writer")
                tried = {
                    "select": "SELECT 1 FROM fe_audit",
                    "insert": "INSERT INTO fe_audit_head VALUES ('x', 1, 'x')",
                    "update": "UPDATE fe_audit SET actor = '' WHERE false",
                    "delete": "DELETE FROM fe_audit WHERE false",
                    "truncate": "TRUNCATE fe_audit",
                    "drop": "DROP TABLE fe_audit",
                    "disable": "ALTER TABLE fe_audit DISABLE TRIGGER ALL",
                }
                done = {name: _is_permitted(connection, each) for name, each in tried.items()}
                for each in ("RESET ROLE", "DROP OWNED BY audit_writer", "DROP ROLE audit_writer"):
                    _ = connection.exec_driver_sql(each)
                return done

            done = await executor.run_sync(as_role)

    assert [name for name, permitted in done.items() if permitted] == ["select", "insert"]
