"""What takes the place of something in a container is seen by everything that depends on it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from dependency_injector import providers

from fastapi_easy.container import resource
from fastapi_easy.domain import Failure, Success
from fastapi_easy.domain.deadline import remaining_seconds
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FailingRepository, FrozenClock, RecordingEventBus
from tests.e2e.overriding import (
    IN_MEMORY,
    MEMORY,
    NothingIsThere,
    Pen,
    Persistent,
    Recorder,
    Shop,
    Silent,
    Told,
    create,
    read,
    running,
    settings_with,
    stepping_in,
)

# Who depends on it, and whether that has seen it.


async def its_steps(shop: Any, clock: Any) -> bool:
    recorder = Recorder()
    with shop.observer.override(recorder):
        _ = await read(shop)
    return bool(recorder.observations[0].seconds == 0)


async def its_locks(shop: Any, clock: Any) -> bool:
    return shop.locks().clock is clock


async def its_events(shop: Any, clock: Any) -> bool:
    bus = RecordingEventBus()
    with shop.event_bus.override(bus):
        _ = await create(shop)
    return bus.events[0].occurred_at == clock.now()


async def its_deadline(shop: Any, settings: Settings) -> bool:
    with shop.books.repository.override(Told(remaining_seconds)):
        left = (await read(shop)).unwrap()
    return bool(left <= settings.deadline)


async def its_attempts(shop: Any, settings: Settings) -> bool:
    silent = Silent()
    with shop.books.repository.override(silent):
        _ = await read(shop)
    return silent.asked == settings.retry.attempts


async def its_counts(shop: Any, settings: Settings) -> bool:
    _ = await read(shop)
    metrics = shop.metrics()
    return metrics is not None and b"books" in metrics.report([], {})


async def its_database(shop: Any, settings: Settings) -> bool:
    return bool(shop.databases.default().technology == "MongoDB")


async def its_lease_store(shop: Any, settings: Settings) -> bool:
    return "Redis" in shop.locks().store.name


async def its_breaker(shop: Any, settings: Settings) -> bool:
    return shop.breakers.locks() is not None


async def its_calls(shop: Any, recorder: Recorder) -> bool:
    before = len(recorder.observations)
    _ = await read(shop)
    return len(recorder.observations) == before + 1


async def its_failed_calls(shop: Any, retry: Any) -> bool:
    with shop.books.repository.override(providers.Factory(FailingRepository)):
        return await read(shop) == Success("again")


async def its_leases(shop: Any, store: Any) -> bool:
    return shop.locks().store is store


async def itself(shop: Any, locks: Any) -> bool:
    return shop.locks() is locks


async def its_units_of_work(shop: Any, bus: RecordingEventBus) -> bool:
    before = len(bus.events)
    _ = await create(shop)
    return len(bus.events) == before + 1


async def its_handlers(shop: Any, policy: Any) -> bool:
    return isinstance(await read(shop), Failure)


async def its_use_cases(shop: Any, steps: Any) -> bool:
    return await read(shop) == Success("stepped in")


@dataclass(frozen=True)
class Replacement:
    """What takes the place of *name*, and who is to see it."""

    name: str
    made: Callable[[], Any]
    seen_by: Callable[[Any, Any], Awaitable[bool]]

    def __str__(self) -> str:
        return f"{self.name}-{self.seen_by.__name__}"


def on_a_server() -> Settings:
    return Settings.model_validate({"databases": {"default": {"url": "mongodb://127.0.0.1:1"}}})


def impatient() -> Settings:
    return settings_with(deadline=5)


def resigned() -> Settings:
    return settings_with(retry={"attempts": 1})


def counting() -> Settings:
    return settings_with(http={"metrics": True})


def locks_elsewhere() -> Settings:
    return settings_with(locks={"url": "redis://127.0.0.1:1"})


FOLLOWED = [
    Replacement("clock", FrozenClock, its_steps),
    Replacement("clock", FrozenClock, its_locks),
    Replacement("clock", FrozenClock, its_events),
    Replacement("settings", impatient, its_deadline),
    Replacement("settings", resigned, its_attempts),
    Replacement("settings", counting, its_counts),
    Replacement("observer", Recorder, its_calls),
    Replacement("metrics", Recorder, its_calls),
    Replacement("retry", Persistent, its_failed_calls),
    Replacement("lease_store", lambda: MemoryLeaseStore(SystemClock()), its_leases),
    Replacement("event_bus", RecordingEventBus, its_units_of_work),
    Replacement("policy", NothingIsThere, its_handlers),
    Replacement("steps", lambda: (stepping_in,), its_use_cases),
    Replacement("locks", IN_MEMORY.locks, itself),
]
"""Also on a running application."""

AT_START = [
    Replacement("settings", on_a_server, its_database),
    Replacement("settings", locks_elsewhere, its_lease_store),
    Replacement("settings", locks_elsewhere, its_breaker),
]
"""What is opened at start stays what it is until the end."""


def _settings(name: str) -> dict[str, Any]:
    return {} if name == "settings" else {"settings": MEMORY}


def a_provider_in_the_class(name: str, value: Any) -> Any:
    return type("Own", (Shop,), {name: providers.Object(value)})(**_settings(name))


def an_object_in_the_class(name: str, value: Any) -> Any:
    return type("Own", (Shop,), {name: value})(**_settings(name))


def an_attribute_of_a_base(name: str, value: Any) -> Any:
    base = type("Base", (Shop,), {name: value})
    return type("Own", (base,), {"more": resource(Pen)})(**_settings(name))


def an_attribute_of_a_mixin(name: str, value: Any) -> Any:
    return type("Own", (type("Mixin", (), {name: value}), Shop), {})(**_settings(name))


def an_argument(name: str, value: Any) -> Any:
    return Shop(**_settings(name) | {name: value})


def overridden_before_the_start(name: str, value: Any) -> Any:
    shop = Shop(settings=MEMORY)
    shop.providers[name].override(value)
    return shop


WAYS = [
    a_provider_in_the_class,
    an_object_in_the_class,
    an_attribute_of_a_base,
    an_attribute_of_a_mixin,
    an_argument,
    overridden_before_the_start,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("replacement", FOLLOWED, ids=str)
async def test_it_is_seen_from_the_start(replacement: Replacement, way: Callable[[str, Any], Any]) -> None:
    value = replacement.made()
    shop = way(replacement.name, value)

    async with running(shop):
        seen = await replacement.seen_by(shop, value)

    assert seen


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("replacement", AT_START, ids=str)
async def test_it_is_what_is_opened_at_start(
    replacement: Replacement, way: Callable[[str, Any], Any]
) -> None:
    value = replacement.made()

    shop = way(replacement.name, value)

    assert await replacement.seen_by(shop, value)


@pytest.mark.parametrize("replacement", FOLLOWED, ids=str)
async def test_it_is_seen_on_a_running_application_until_its_block_ends(replacement: Replacement) -> None:
    value = replacement.made()
    shop: Any = Shop(settings=MEMORY)

    async with running(shop):
        before = await replacement.seen_by(shop, value)
        with shop.providers[replacement.name].override(value):
            during = await replacement.seen_by(shop, value)
        after = await replacement.seen_by(shop, value)

    assert (before, during, after) == (False, True, False)
