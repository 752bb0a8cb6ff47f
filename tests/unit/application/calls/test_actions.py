"""What the actions of a resource promise: each is a method, or an instance of its class."""

from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain import (
    CheckFailed,
    Outcome,
    Principal,
    Stale,
)
from fastapi_easy.testing import in_memory, in_memory_kernel
from tests.unit.application.calls.market import CancelOrder, CountOrders, Market, State


async def test_performs_them_by_name() -> None:
    async with in_memory_kernel(Market) as kernel:
        as_ada = kernel.acting_as(Principal(id="ada"))
        await kernel.orders.create()
        await kernel.orders.create()

        by_keywords = await as_ada.orders.cancel(1, reason="late", by="clerk")
        by_mapping = await as_ada.orders.cancel(2, {"reason": "late"})

    assert (by_keywords.unwrap().state, by_keywords.unwrap().note) == (State.CANCELLED, "clerk ada: late")
    assert by_mapping.unwrap().note == "customer ada: late"


async def test_performs_them_as_instances_of_their_class() -> None:
    async with in_memory_kernel(Market) as kernel:
        await kernel.orders.create(state=State.SHIPPED)

        refused = await kernel.orders.perform(1, CancelOrder("late"))

    assert refused == Failure(CheckFailed("orders", ("state",), reason="A shipped order stays shipped."))


async def test_an_action_called_like_a_method_is_performed_as_an_instance() -> None:
    async with in_memory_kernel(Market) as kernel:
        await kernel.orders.create()

        assert await kernel.orders.count() == Success(1)
        assert (await kernel.orders.perform(1, CountOrders())).unwrap().id == 1


async def test_changes_nothing_that_has_changed_meanwhile() -> None:
    async with in_memory_kernel(Market) as kernel:
        order = (await kernel.orders.create()).unwrap()
        version = kernel.orders.version_of(order)
        await kernel.orders.update(order.id, note="meanwhile")

        by_name = await kernel.orders.cancel(order.id, reason="late", expected_version=version)
        by_instance = await kernel.orders.perform(order.id, CancelOrder("late"), expected_version=version)

    assert isinstance(by_name.failure(), Stale)
    assert by_instance == by_name


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        pytest.param({}, [("/reason", "missing")], id="one is missing"),
        pytest.param(
            {"reason": "late", "bye": "clerk"},
            [("/bye", "unexpected_keyword_argument")],
            id="one is unknown",
        ),
        pytest.param(
            {"raeson": "late"},
            [("/reason", "missing"), ("/raeson", "unexpected_keyword_argument")],
            id="one is misspelt",
        ),
    ],
)
async def test_fields_it_needs_or_does_not_have_are_faults(
    fields: Any, faults: list[tuple[str, str]]
) -> None:
    async with in_memory_kernel(Market) as kernel:
        await kernel.orders.create()

        refused = (await kernel.orders.cancel(1, **fields)).failure()

    assert [(each.pointer, each.code) for each in refused.faults] == faults


async def test_a_field_called_like_an_option_needs_a_mapping() -> None:
    async with in_memory_kernel(Market) as kernel:
        await kernel.orders.create()

        with pytest.raises(TypeError, match="there is a field of that name"):
            await kernel.orders.rebase(1, expected_version="option or field?")
        performed = await kernel.orders.rebase(1, {"expected_version": "field"})

    assert performed.unwrap().note == "field"


async def test_a_misspelt_one_is_no_attribute_and_says_what_may_have_been_meant() -> None:
    orders = in_memory(Market).kernel().orders

    with pytest.raises(
        AttributeError, match="orders has no method or action 'cancle': did you mean 'cancel'"
    ):
        _ = orders.cancle
    with pytest.raises(AttributeError, match="did you mean 'create'"):
        _ = orders.creat


async def test_an_undeclared_action_is_refused() -> None:
    @dataclass(frozen=True)
    class Shout:
        async def perform(self, key: Any, work: Any, context: Any, /) -> Outcome[None]:
            return Success(None)

    goods = in_memory(Market).kernel().goods

    with pytest.raises(TypeError, match="Shout is not an action of goods: declare it"):
        await goods.perform(1, Shout())


async def test_is_made_once() -> None:
    orders = in_memory(Market).kernel().orders

    assert orders.cancel is orders.cancel
