"""`Container`, and `resource()` to declare in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, cast

from dependency_injector import containers, providers

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.container_class import find_declarations, register_providers
from fastapi_easy.composition.declarations import resource
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.composition.deferred import deferred
from fastapi_easy.composition.memoized import Memoized, MemoizedFactory
from fastapi_easy.composition.wiring import wire
from fastapi_easy.domain.ports import (
    Clock,
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
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.settings import Settings, read_settings

__all__ = ["Container", "DeclaredResource", "find_declarations", "resource"]


class Container(containers.DeclarativeContainer):
    """Base of a user's container: declare resources in it, and override any provider.

    An attribute of one of the names below takes the place of what is here, for good and for everything that depends
    on it: a provider, or the object itself. So does an argument of `Shop(clock=…)` for one instance, and
    `shop.clock.override(…)` for as long as it lasts.

    Attributes:
        declarations: What was declared, by name, on an instance.

        settings: Everything the environment decides.

        clock, event_bus, observer: The ports that all resources share.

        metrics: Counts calls for `/metrics`, while the setting `http.metrics` says so; told by the observer.

        policy: What each caller may do; everything while there is none.

        journal: What is written beside every change, in the same transaction; nothing while there is none.

        retry: Says whether a call that came to nothing is made again.

        tracer: Records calls and statements as spans; nobody does unless OpenTelemetry is configured.

        lease_store: Where leases are kept.

        eviction_hook: Is told of every lease that an operator takes from its holder; they are logged besides.

        locks: Locks by name: `async with shop.locks().hold("invoice:42") as lease`.

        steps: What happens around every use case, the outermost first.

        unit_of_work: Makes a unit of work on the database `default`.

        databases: The databases by name.

        breakers: Their breakers by name, and that of the locks; `None` where there is none.

        kernel: The application behind one object, on an instance.
    """

    # Of the library's own anybody may ask for anything. A name that is not here is a mistake.
    __getattr__: None  # type: ignore[assignment,misc]

    instance_type = Application

    declarations: Mapping[str, Declaration[Any]]
    settings: providers.Provider[Settings] = providers.Singleton(read_settings)
    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    event_bus: providers.Provider[EventBus] = providers.Singleton(InProcessEventBus)
    policy: providers.Provider[Policy | None] = providers.Object(None)
    journal: providers.Provider[Journal | None] = providers.Object(None)
    eviction_hook: providers.Provider[EvictionHook | None] = providers.Object(None)
    metrics: providers.Provider[Metrics | None] = deferred(Memoized, "metrics")
    observer: providers.Provider[Observer] = deferred(Memoized, "observer")
    retry: providers.Provider[Retry] = deferred(Memoized, "retry")
    tracer: providers.Provider[Tracer | None] = deferred(Memoized, "tracer")
    lease_store: providers.Provider[LeaseStore] = deferred(providers.Singleton, "lease_store")
    locks: providers.Provider[LockProvider] = deferred(Memoized, "locks")
    steps: providers.Provider[Sequence[Step]] = deferred(Memoized, "steps")
    unit_of_work: providers.Provider[UnitOfWork] = deferred(MemoizedFactory, "unit_of_work")
    kernel: providers.Provider[Kernel] = deferred(providers.Singleton, "kernel")
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make what stands in the body known."""
        super().__init_subclass__(**kwargs)
        register_providers(cls, _STANDARD_PROVIDERS)

    def __new__(cls, **overriding: providers.Provider[Any] | Any) -> Self:
        """Make an instance with the resources declared in the class, its bases and the settings.

        Args:
            overriding: Providers, or plain objects, that take the place of the class's by name: `settings=…`.

        Raises:
            DeclarationError: The settings have mistakes.
        """
        register_providers(cls, _STANDARD_PROVIDERS)
        made = super().__new__(cls, **overriding)
        application = cast("Application", made)
        wire(application, cls, _STANDARD_PROVIDERS)
        application.is_wired = True
        if application.is_auto_wiring_enabled():
            application.wire()
        return made


_STANDARD_PROVIDERS: Final = (*Container.providers, "databases", "breakers")
register_providers(Container, _STANDARD_PROVIDERS)
