"""What replacing promises: what was left out gets its default, what has none is asked for."""

import dataclasses
from decimal import Decimal

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.resources.replace_entity import ReplaceEntity, ReplaceEntityHandler
from fastapi_easy.domain.changes.events import EntityUpdated
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import Error, Fault, Invalid, NotFound, OutcomeUnknown, Stale
from tests.unit.application.fakes import ADA, ANY_ID, NOON, ORDERS, Store

VALUES = {"status": "paid", "total": Decimal(20)}


def handler_on(store: Store) -> ReplaceEntityHandler:
    return ReplaceEntityHandler(store.collaborators())


async def test_omitted_fields_get_their_default_and_fixed_or_hidden_ones_are_kept() -> None:
    store = Store()
    _ = await store.put(note="first", secret="kept", channel="shop")  # noqa: S106 (a field of that name)

    outcome = await handler_on(store)(ReplaceEntity(1, VALUES), ADA)

    replaced = Row({"id": 1, **VALUES, "note": None, "secret": "kept", "channel": "shop"})
    assert outcome == Success(ORDERS.visible_row(replaced))
    assert await store.rows() == [replaced]


@pytest.mark.parametrize("name", ["id", "nope"])
async def test_refuses_what_can_never_change(name: str) -> None:
    store = Store()
    before = await store.put()

    outcome = await handler_on(store)(ReplaceEntity(1, VALUES | {name: 2}), ADA)

    expected = Fault(f"/{name}", "Is not a field that can be written", "extra_forbidden")
    assert outcome == Failure(Invalid((expected,)))
    assert await store.rows() == [before]


async def test_own_code_may_set_what_callers_may_not_change() -> None:
    store = Store()
    _ = await store.put()

    _ = await handler_on(store)(ReplaceEntity(1, VALUES | {"channel": "shop", "secret": "known"}), ADA)

    (row,) = await store.rows()
    assert (row.channel, row.secret) == ("shop", "known")


async def test_default_factories_run_for_each_entity_and_a_store_without_defaults_has_null() -> None:
    store = Store()
    _ = await store.put(note="kept")
    numbers = iter(range(9))
    fields = ORDERS.fields | {
        "status": dataclasses.replace(ORDERS.fields["status"], default_factory=lambda: f"n{next(numbers)}"),
        "note": dataclasses.replace(ORDERS.fields["note"], nullable=False, store_default=True),
    }
    resource = dataclasses.replace(ORDERS, fields=fields)
    handle = ReplaceEntityHandler(store.collaborators(resource=resource))

    first = await handle(ReplaceEntity(1, {"total": Decimal(1)}), ADA)
    second = await handle(ReplaceEntity(1, {"total": Decimal(2)}), ADA)

    assert [(row.status, row.note) for row in (first.unwrap(), second.unwrap())] == [
        ("n0", None),
        ("n1", None),
    ]


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        pytest.param({}, ["/status", "/total"], id="everything"),
        pytest.param({"status": "paid"}, ["/total"], id="one field"),
        pytest.param({"note": "x"}, ["/status", "/total"], id="all that matters"),
    ],
)
async def test_names_every_field_without_a_default_that_was_left_out(
    values: Values, missing: list[str]
) -> None:
    store = Store()
    before = await store.put()

    outcome = await handler_on(store)(ReplaceEntity(1, values), ADA)

    assert outcome == Failure(Invalid(tuple(Fault(each, "Field required", "missing") for each in missing)))
    assert await store.rows() == [before]


async def test_publishes_every_field_that_was_set() -> None:
    store = Store()
    _ = await store.put()

    _ = await handler_on(store)(ReplaceEntity(1, VALUES), ADA)

    assert store.events() == [
        EntityUpdated(
            resource="orders",
            key=1,
            values={"id": 1, **VALUES, "note": None, "channel": "web"},
            changed=frozenset({"status", "total", "note"}),
            actor="ada",
            correlation_id="call-1",
            occurred_at=NOON,
            id=ANY_ID,
        )
    ]


async def test_never_creates() -> None:
    store = Store()

    outcome = await handler_on(store)(ReplaceEntity(9, VALUES), ADA)

    assert outcome == Failure(NotFound("orders", 9))
    assert await store.rows() == []
    assert store.events() == []


async def test_changes_nothing_when_it_is_based_on_another_version() -> None:
    store = Store()
    before = await store.put()

    outcome = await handler_on(store)(ReplaceEntity(1, VALUES, "another"), ADA)

    assert outcome == Failure(Stale("orders", 1, version_of(before, ORDERS.readable)))
    assert await store.rows() == [before]


async def test_passes_on_that_the_commit_failed() -> None:
    store = Store()
    before = await store.put()
    refusal: Error = OutcomeUnknown("default")
    store.refusal = refusal

    outcome = await handler_on(store)(ReplaceEntity(1, VALUES), ADA)

    assert outcome == Failure(refusal)
    assert await store.rows() == [before]
    assert store.events() == []
