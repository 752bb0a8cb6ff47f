"""What the kernel promises: each resource by name or as declared, for whoever is acting."""

import copy
from typing import Any

import pytest
from dependency_injector import providers

from fastapi_easy.application import Context, DryRun, Kernel
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import ANONYMOUS, NotFound, Outcome, Principal, Success
from fastapi_easy.domain.ports import Policy
from fastapi_easy.domain.queries.specification import Everything, Operator, Specification, Where
from fastapi_easy.testing import FrozenClock, RecordingEventBus, in_memory, in_memory_kernel
from tests.policies import RowPolicy
from tests.unit.application.calls.market import Market

ADA = Principal(id="ada", tenant="acme")


class Listening:
    """A step that keeps the context of every call."""

    def __init__(self) -> None:
        self.heard: list[Context] = []

    def __call__(self, target: Any, handler: Any) -> Any:
        async def listening(command: Any, context: Context, /) -> Any:
            self.heard.append(context)
            return await handler(command, context)

        return listening


def listening_market(**overriding: Any) -> tuple[Any, Kernel, Listening]:
    """A market, its kernel, and what hears its calls."""
    step = Listening()
    market = in_memory(Market, steps=providers.Object((step,)), **overriding)
    return market, market.kernel(), step


def test_gives_the_use_cases_of_a_resource() -> None:
    market = in_memory(Market)
    kernel = market.kernel()

    assert [each.resource.name for each in kernel] == ["stalls", "goods", "orders"]
    assert kernel.use_cases("goods").resource is market.goods.resource()
    assert len(kernel) == 3


def test_gives_a_resource_by_its_name_and_as_it_is_declared() -> None:
    market = in_memory(Market)
    kernel = market.kernel()

    goods = kernel.goods

    assert goods is kernel.goods
    assert goods is kernel.resource(market.goods)
    assert goods is kernel.resource(Market.goods)
    assert goods is kernel.resource("goods")
    assert repr(goods) == "<DynamicResource goods>"


def test_a_declared_resource_knows_its_name_in_the_class_and_in_the_instance() -> None:
    market = in_memory(Market)

    assert (Market.goods.name, market.goods.name, market.orders.name) == ("goods", "goods", "orders")


def test_a_misspelt_resource_is_no_attribute_and_says_what_may_have_been_meant() -> None:
    kernel = in_memory(Market).kernel()

    with pytest.raises(AttributeError, match="there is no resource 'goodz': did you mean 'goods'"):
        _ = kernel.goodz
    with pytest.raises(AttributeError, match="did you mean 'acting_as'"):
        _ = kernel.acting_az
    with pytest.raises(
        AttributeError, match="there are acting_as, goods, orders, resource, stalls, unit_of_work, use_cases"
    ):
        _ = kernel.xyz
    assert not hasattr(kernel, "goodz")


@pytest.mark.parametrize("ask", [Kernel.use_cases, Kernel.resource], ids=["use_cases", "resource"])
def test_a_misspelt_name_is_no_key_and_says_what_may_have_been_meant(ask: Any) -> None:
    with pytest.raises(KeyError, match="did you mean 'goods'"):
        ask(in_memory(Market).kernel(), "goodz")


def test_a_resource_of_another_application_is_not_known() -> None:
    with pytest.raises(KeyError, match="there is no resource 'goods': there is none here"):
        _ = Kernel({}).resource(Market.goods)


def test_lists_its_resources_for_those_who_complete_names() -> None:
    kernel = in_memory(Market).kernel()

    assert {"goods", "orders", "acting_as"} <= set(dir(kernel))
    assert {"create", "cancel"} <= set(dir(kernel.orders))


def test_can_be_copied() -> None:
    kernel = in_memory(Market).kernel()

    assert copy.copy(kernel).use_cases("goods") is kernel.use_cases("goods")


def test_does_not_follow_the_mapping_it_was_made_from() -> None:
    mapping = {each.resource.name: each for each in in_memory(Market).kernel()}
    kernel = Kernel(mapping)

    mapping.clear()

    assert len(kernel) == 3


async def test_the_caller_is_anonymous_by_default() -> None:
    _, kernel, step = listening_market()

    await kernel.goods.count()

    assert step.heard == [Context(principal=ANONYMOUS)]


async def test_acts_for_another_caller_without_changing_itself() -> None:
    _, kernel, step = listening_market()

    for_ada = kernel.acting_as(ADA, correlation_id="call-1", idempotency_key="key-1")
    await for_ada.goods.count()
    await kernel.goods.count()

    assert step.heard == [
        Context(principal=ADA, tenant="acme", correlation_id="call-1", idempotency_key="key-1"),
        Context(),
    ]
    assert for_ada.use_cases("goods") is kernel.use_cases("goods")


async def test_omitted_fields_keep_their_values() -> None:
    _, kernel, step = listening_market()
    for_ada = kernel.acting_as(ADA, correlation_id="call-1")

    await for_ada.acting_as(correlation_id="call-2").goods.count()
    await for_ada.acting_as(tenant=None).goods.count()
    await for_ada.acting_as(Principal(id="grace"), tenant="navy").goods.count()
    await for_ada.acting_as(Principal(id="grace")).goods.count()

    assert [(each.principal.id, each.tenant, each.correlation_id) for each in step.heard] == [
        ("ada", "acme", "call-2"),
        ("ada", None, "call-1"),
        ("grace", "navy", "call-1"),
        ("grace", None, "call-1"),
    ]


async def test_each_call_has_its_own_deadline() -> None:
    clock = FrozenClock()
    _, kernel, step = listening_market(clock=clock)
    hurried = kernel.acting_as(timeout=2.5)

    begun = clock.monotonic()
    await hurried.goods.count()
    clock.advance(60)
    await hurried.goods.count()
    await hurried.acting_as(timeout=None).goods.count()

    assert [each.deadline for each in step.heard] == [begun + 2.5, begun + 62.5, None]


async def test_a_dry_run_changes_nothing_and_reports_its_events() -> None:
    async with in_memory_kernel(Market) as kernel:
        rehearsal = DryRun()

        told = await kernel.acting_as(dry_run=rehearsal).stalls.create(name="Fruit")
        await kernel.acting_as(dry_run=True).stalls.create(name="Bread")
        left = await kernel.stalls.count()
        await kernel.acting_as(dry_run=True).acting_as(dry_run=False).stalls.create(name="Cheese")

        assert told.unwrap().name == "Fruit"
        assert [event.name for event in rehearsal.events] == ["stalls.created"]
        assert left.unwrap() == 0
        assert [row.name for row in (await kernel.stalls.list()).unwrap().items] == ["Cheese"]


async def test_events_of_a_dry_run_are_not_kept_unless_asked_for() -> None:
    _, kernel, step = listening_market()
    rehearsing = kernel.acting_as(dry_run=True)

    await rehearsing.stalls.create(name="Fruit")
    await rehearsing.stalls.create(name="Bread")

    first, second = (each.dry_run for each in step.heard)
    assert first is not None and first is not second


class OwnCity(RowPolicy):
    """Shows everybody the stalls of the city they belong to."""

    def visible(self, principal: Principal, tenant: str | None, resource: Any) -> Specification:
        return Where("city", Operator.EQUALS, tenant) if resource.name == "stalls" else Everything()


async def test_policies_events_and_steps_are_those_of_every_other_door() -> None:
    bus = RecordingEventBus()
    policy: Policy = OwnCity()
    async with in_memory_kernel(Market, event_bus=bus, policy=policy) as kernel:
        for_ada = kernel.acting_as(Principal(id="ada"), tenant="York", correlation_id="call-1")
        stall = (await for_ada.stalls.create(name="Fruit", city="York")).unwrap()

        elsewhere = await kernel.acting_as(tenant="Bath").stalls.get(stall.id)

        assert elsewhere.failure() == NotFound("stalls", stall.id)
        assert (await for_ada.stalls.get(stall.id)).unwrap() == stall
        assert [(event.actor, event.correlation_id) for event in bus.events] == [("ada", "call-1")]


async def test_an_override_is_followed_by_the_next_call() -> None:
    market = in_memory(Market)

    class SevenStalls:
        async def count(self, specification: Specification) -> Outcome[int]:
            return Success(7)

    async with open_kernel(market) as kernel:
        stalls = kernel.stalls
        with market.stalls.repository.override(providers.Factory(SevenStalls)):
            during = await stalls.count()
        after = await stalls.count()

    assert (during, after) == (Success(7), Success(0))
