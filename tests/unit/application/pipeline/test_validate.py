"""What every use case is promised: that it sees nothing which nobody has checked."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application import (
    ApplyBulk,
    Context,
    Create,
    CreateEntity,
    Delete,
    ImportEntities,
    Line,
    Malformed,
    PerformAction,
    ReplaceEntity,
    Target,
    Update,
    UpdateEntity,
    Upsert,
    UpsertEntity,
)
from fastapi_easy.application.pipeline.compose import compose
from fastapi_easy.application.pipeline.validate import MAX_BULK_FAULTS, validate
from fastapi_easy.domain import Fault, Invalid, Json, Key, Operation, Outcome, Patch, Values
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.infrastructure.validation import PydanticValidator
from tests.unit.application.fakes import ADA, ORDERS, target_of

BODY = {"id": 7, "status": "new", "total": "9.50"}
VALUES = {**BODY, "total": Decimal("9.50")}
REFUSED = Failure(Invalid((Fault("/secret", "Extra inputs are not permitted", "extra_forbidden"),)))


class Seeing:
    """A handler that answers the command it saw."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def __call__(self, command: Any, context: Context, /) -> Outcome[Any]:
        self.seen.append(command)
        return Success(command)


async def through(action: str, command: Any) -> Any:
    """What a handler sees of *command*, or why it sees nothing."""
    seeing = Seeing()
    outcome = await validate(target_of(action), seeing)(command, ADA)
    assert len(seeing.seen) == isinstance(outcome, Success)
    return outcome if isinstance(outcome, Failure) else outcome.unwrap()


@pytest.mark.parametrize(
    "given", [Json(BODY), Json(dict(VALUES)), BODY, VALUES], ids=["JSON", "exact", "text", "values"]
)
async def test_values_arrive_in_the_types_of_the_store(given: Values) -> None:
    changed = {name: given[name] for name in ("status", "total")}
    change = Json(changed) if isinstance(given, Json) else changed
    expected = {"status": "new", "total": Decimal("9.50")}

    assert await through("create", CreateEntity(given)) == CreateEntity(VALUES)
    assert await through("upsert", UpsertEntity(given)) == UpsertEntity(VALUES)
    assert await through("replace", ReplaceEntity(7, change, "3")) == ReplaceEntity(7, expected, "3")
    updated = await through("update", UpdateEntity(7, change, "3"))
    assert (updated.key, dict(updated.patch), updated.expected_version) == (7, expected, "3")
    assert isinstance(updated.patch, Patch)


@pytest.mark.parametrize("wrap", [Json, dict, Patch], ids=["JSON", "values", "a patch"])
async def test_what_callers_may_not_write_never_arrives(wrap: Any) -> None:
    secret = {"secret": "known"}

    assert await through("create", CreateEntity(wrap(VALUES | secret))) == REFUSED
    assert await through("upsert", UpsertEntity(wrap(VALUES | secret))) == REFUSED
    assert await through("replace", ReplaceEntity(7, wrap({"status": "new", "total": 1} | secret))) == REFUSED
    assert await through("update", UpdateEntity(7, wrap(secret))) == REFUSED


@pytest.mark.parametrize(
    "operation",
    [each for each in Operation if each not in {"create", "replace", "update", "upsert", "bulk", "import"}],
)
def test_costs_nothing_where_callers_give_no_values(operation: Operation) -> None:
    seeing = Seeing()

    assert validate(target_of(operation), seeing) is seeing


async def test_validate_is_added_to_any_steps() -> None:
    seeing = Seeing()

    outcome = await compose((), target_of("create"), seeing)(CreateEntity({"nope": 1}), ADA)

    assert isinstance(outcome, Failure)
    assert seeing.seen == []


async def test_validate_stands_where_the_steps_name_it() -> None:
    seen: list[Any] = []

    def inside(target: Target, handler: Any) -> Any:
        async def looking(command: Any, context: Context, /) -> Any:
            seen.append(command)
            return await handler(command, context)

        return looking

    _ = await compose((validate, inside), target_of("create"), Seeing())(CreateEntity(Json(BODY)), ADA)

    assert seen == [CreateEntity(VALUES)]


async def test_a_command_of_a_class_of_ones_own_stays_what_it_is() -> None:
    @dataclass(frozen=True)
    class Order(CreateEntity):
        urgent: bool = False

    assert await through("create", Order(Json(BODY), urgent=True)) == Order(VALUES, urgent=True)


async def test_asks_for_the_validator_anew_each_time() -> None:
    strict, lenient = (
        PydanticValidator(ORDERS),
        PydanticValidator(dataclasses.replace(ORDERS, writable=("note",))),
    )
    current = strict
    handler = validate(Target(ORDERS, "create", lambda: current), Seeing())

    before = await handler(CreateEntity({"note": "x"}), ADA)
    current = lenient
    after = await handler(CreateEntity({"note": "x"}), ADA)

    assert isinstance(before, Failure)
    assert after == Success(CreateEntity({"note": "x"}))


class TestBulk:
    ITEMS: Sequence[Any] = (
        Create(Json(BODY)),
        Create({"status": 1, "total": 1}),
        Upsert(BODY),
        Update(7, {"status": None}),
        Delete(7),
        Malformed(Invalid((Fault("/items/5", "Must have one member", "item_type"),))),
        Update(7, Json({"total": "1.5"}), "3"),
    )

    async def test_an_atomic_bulk_reports_all_faults_at_once(self) -> None:
        refused = await through("bulk", ApplyBulk(self.ITEMS))

        assert [(each.pointer, each.code) for each in refused.failure().faults] == [
            ("/items/1/create/id", "missing"),
            ("/items/1/create/status", "string_type"),
            ("/items/3/update/set/status", "string_type"),
            ("/items/5", "item_type"),
        ]

    async def test_an_invalid_item_of_a_bulk_that_is_not_atomic_fails_alone(self) -> None:
        seen = await through("bulk", ApplyBulk(self.ITEMS, atomic=False))

        create, wrong, upsert, null, delete, unread, update = seen.items
        assert (create, upsert, delete) == (Create(VALUES), Upsert(VALUES), Delete(7))
        assert [each.pointer for each in wrong.error.faults] == ["/id", "/status"]
        assert [each.pointer for each in null.error.faults] == ["/status"]
        assert unread is self.ITEMS[5]
        assert (update.key, dict(update.patch), update.expected_version) == (
            7,
            {"total": Decimal("1.5")},
            "3",
        )

    async def test_reports_a_limited_number_of_faults(self) -> None:
        refused = await through("bulk", ApplyBulk([Create({})] * 1000))

        assert len(refused.failure().faults) == MAX_BULK_FAULTS


async def test_lines_are_checked_as_they_are_asked_for() -> None:
    asked: list[int] = []
    unread: Line = (3, Failure(Invalid(())))

    async def lines() -> AsyncIterator[Line]:
        given: list[Line] = [(1, Success(Json(BODY))), (2, Success({"secret": 1, **VALUES})), unread]
        for line in given:
            asked.append(line[0])
            yield line

    seen = await through("import", ImportEntities(lines(), upsert=True, max_failures=3))

    assert (asked, seen.upsert, seen.max_failures) == ([], True, 3)
    assert await anext(seen.lines) == (1, Success(VALUES))
    assert asked == [1]
    assert [line async for line in seen.lines] == [(2, REFUSED), unread]


@dataclass(frozen=True)
class CreateOrder:
    """Is called like an operation."""

    copies: int

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[None]:
        return Success(None)


@dataclass(frozen=True)
class OtherOrder(CreateOrder):
    """Derives from it."""

    more: int = 0


SHOP = dataclasses.replace(ORDERS, actions={"create": CreateOrder})


async def test_an_action_is_told_from_an_operation_of_its_name() -> None:
    handler = validate(target_of("create", SHOP), Seeing())

    performed = await handler(PerformAction(7, Json({"copies": 2}), "3"), ADA)
    created = await handler(CreateEntity(Json(BODY)), ADA)

    assert performed == Success(PerformAction(7, CreateOrder(2), "3"))
    assert created == Success(CreateEntity(VALUES))


async def test_the_fields_of_an_action_are_checked_though_it_was_made_already() -> None:
    handler = validate(target_of("create", SHOP), Seeing())
    odd: Any = "two"

    wrong = await handler(PerformAction(7, CreateOrder(odd)), ADA)
    derived = await handler(PerformAction(7, OtherOrder(1, more=2)), ADA)

    expected = Fault("/copies", "Input should be a valid integer", "int_type")
    assert wrong == Failure(Invalid((expected,)))
    assert derived == Success(PerformAction(7, OtherOrder(1, more=2)))


async def test_another_action_than_the_one_that_was_asked_for_is_a_defect() -> None:
    @dataclass(frozen=True)
    class ShipOrder:
        async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[None]:
            return Success(None)

    with pytest.raises(TypeError, match="create expects a CreateOrder, but was given a ShipOrder"):
        _ = await validate(target_of("create", SHOP), Seeing())(PerformAction(7, ShipOrder()), ADA)
