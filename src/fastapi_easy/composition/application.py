"""An instance of a user's container: the providers of a whole application."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dependency_injector import containers, providers

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.locks.lock_store_dependency import LOCK_STORE
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.domain.ports import (
    Breaker,
    Clock,
    Database,
    EventBus,
    EvictionHook,
    Journal,
    LeaseStore,
    LockProvider,
    Metrics,
    Observer,
    Policy,
    Retry,
    Tracer,
    UnitOfWork,
)
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings


class Application(containers.DynamicContainer):
    """An instance of a user's container: the providers of the whole application."""

    is_wired = False
    """Whether every provider makes something by now."""

    declarations: Mapping[str, Declaration[Any]]
    settings: providers.Provider[Settings]
    clock: providers.Provider[Clock]
    event_bus: providers.Provider[EventBus]
    metrics: providers.Provider[Metrics | None]
    observer: providers.Provider[Observer]
    policy: providers.Provider[Policy | None]
    journal: providers.Provider[Journal | None]
    eviction_hook: providers.Provider[EvictionHook | None]
    retry: providers.Provider[Retry]
    tracer: providers.Provider[Tracer | None]
    lease_store: providers.Provider[LeaseStore]
    locks: providers.Provider[LockProvider]
    steps: providers.Provider[Sequence[Step]]
    unit_of_work: providers.Provider[UnitOfWork]
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer
    kernel: providers.Provider[Kernel]

    def is_auto_wiring_enabled(self) -> bool:
        """Return whether the modules in `wiring_config` are to be wired now: not before the container itself is."""
        return self.is_wired and super().is_auto_wiring_enabled()

    def every_database(self) -> Iterator[Database]:
        """Return the databases that resources live in, in the order they were declared."""
        for name in dict.fromkeys(each.database for each in self.declarations.values()):
            yield self.databases.providers[name]()

    def every_breaker(self) -> dict[str, Breaker]:
        """Return the circuit breakers of the databases that have one, by name, and that of the locks."""
        names = [*(each.name for each in self.every_database()), LOCK_STORE]
        found = {name: self.breakers.providers[name]() for name in names}
        return {name: breaker for name, breaker in found.items() if breaker is not None}

    def every_resource(self) -> Iterator[Resource[Any]]:
        """Return the checked resources, in the order they were declared."""
        for name in self.declarations:
            yield self.providers[name].resource()  # type: ignore[attr-defined]
