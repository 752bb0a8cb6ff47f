"""The `Resource` providers of a user's own: opened with the application, and closed with it."""

import inspect
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from dependency_injector import providers

__all__ = ["close_resources", "find_async_resources", "opened_resources"]


@asynccontextmanager
async def opened_resources(container: Any) -> AsyncIterator[None]:
    """Open every `Resource` of *container* that is not open yet, what it depends on first; close all at the end."""
    try:
        for each in _resources_in(container):
            opened: Any = each.init()
            if inspect.isawaitable(opened):
                _ = await opened
        yield
    finally:
        await close_resources(container)


async def close_resources(container: Any) -> None:
    """Close every `Resource` of *container* that is open, in reverse; each is tried, even when another fails."""
    async with AsyncExitStack() as stack:
        for each in _resources_in(container):
            _ = stack.push_async_callback(_close, each)


def find_async_resources(container: Any, standard_names: Iterable[str]) -> Iterator[str]:
    """Return a sentence for each of the providers that would give an awaitable instead of what it is named after."""
    for name in standard_names:
        provider: Any = container.providers[name]
        for each in (provider, *provider.traverse(types=[providers.BaseResource])):
            if isinstance(each, providers.BaseResource) and _is_asynchronous(each.provides):
                yield (
                    f"{name}: depends on an asynchronous Resource, which makes everything above it awaitable: pass "
                    "a value that is available at once, and open the resource in a provider of its own"
                )
                break


def _resources_in(container: Any) -> list[Any]:
    """Yield the resources of *container* in the order of its body, each after those it is made from."""
    found: set[Any] = set(container.traverse(types=[providers.Resource]))
    declared = [each for each in container.providers.values() if each in found]
    ordered: dict[Any, None] = {}
    for each in (*declared, *found):
        _add_in_order(each, ordered)
    return list(ordered)


def _add_in_order(resource: Any, ordered: dict[Any, None]) -> None:
    if resource in ordered:
        return
    for each in resource.traverse(types=[providers.Resource]):
        if each is not resource:
            _add_in_order(each, ordered)
    ordered[resource] = None


async def _close(resource: Any) -> None:
    closed = resource.shutdown() if resource.initialized else None
    if inspect.isawaitable(closed):
        _ = await closed


def _is_asynchronous(provides: Any) -> bool:
    if isinstance(provides, type):
        return hasattr(provides, "__aenter__") and not hasattr(provides, "__enter__")
    function = inspect.unwrap(provides)
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
