"""`Container`, and `resource()` to declare in it: the public names of the composition root."""

from collections.abc import Sequence
from typing import Any, Final, cast

from dependency_injector import containers, providers

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.pipeline.standard import standard_steps
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.declarations import DeclaredResource, declared_in, resource, written_in
from fastapi_easy.composition.leases import open_leases, open_locks
from fastapi_easy.composition.observation import open_metrics, open_observer
from fastapi_easy.composition.resilience import open_retry
from fastapi_easy.composition.wiring import wire
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import (
    Clock,
    EventBus,
    EvictionHook,
    LeaseStore,
    LockProvider,
    Metrics,
    Observer,
    Policy,
    Retry,
)
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.settings import read_settings

__all__ = ["Container", "DeclaredResource", "declared_in", "resource"]


class Container(containers.DeclarativeContainer):
    """Base of a user's container: declare resources in it, and override any provider.

    Attributes:
        settings: Everything the environment decides.

        clock, event_bus, observer: The ports that all resources share.

        metrics: Counts calls for `/metrics`, while the setting `http.metrics` says so; told by the observer.

        policy: What each caller may see; everything while there is none.

        retry: Says whether a call that came to nothing is made again.

        lease_store: Where leases are kept.

        eviction_hook: Is told of every lease that an operator takes from its holder; they are logged besides.

        locks: Locks by name: `async with shop.locks().hold("invoice:42") as lease`.

        steps: What happens around every use case, the outermost first.

        databases: The databases by name, on an instance.

        breakers: Their breakers by name, and that of the locks, on an instance; `None` where there is none.

        kernel: The application behind one object, on an instance.
    """

    instance_type = Application

    settings = providers.Singleton(read_settings)
    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    event_bus: providers.Provider[EventBus] = providers.Singleton(InProcessEventBus)
    metrics: providers.Provider[Metrics | None] = providers.Singleton(open_metrics, settings)
    observer: providers.Provider[Observer] = providers.Singleton(open_observer, settings, metrics)
    policy: providers.Provider[Policy | None] = providers.Object(None)
    retry: providers.Provider[Retry] = providers.Singleton(open_retry, settings)
    lease_store: providers.Provider[LeaseStore] = providers.Singleton(open_leases, settings, clock)
    eviction_hook: providers.Provider[EvictionHook | None] = providers.Object(None)
    locks: providers.Provider[LockProvider] = providers.Singleton(
        open_locks, lease_store, clock, eviction_hook
    )
    steps: providers.Provider[Sequence[Step]] = providers.Singleton(
        standard_steps, observer.provider, clock, retry.provider, settings.provided.deadline
    )
    kernel: providers.Provider[Kernel]
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer

    def __new__(cls, **overriding: providers.Provider[Any] | Any) -> Any:
        """An instance with the resources declared in the class, its bases and the settings.

        Args:
            overriding: Providers, or plain objects, that take the place of the class's by name: `settings=…`.

        Raises:
            DeclarationError: The settings have mistakes.
        """
        application = cast("Application", super().__new__(cls, **overriding))
        application.declarations = {**declared_in(cls), **written_in(application)}
        if taken := sorted(_OWN_PROVIDERS & application.declarations.keys()):
            raise DeclarationError(
                [f"{name}: the container has a provider of that name: rename it" for name in taken]
            )
        wire(application)
        return application


_OWN_PROVIDERS: Final = frozenset(vars(Container)["__annotations__"]) | frozenset(Container.providers)
