"""What the class of a container has once its body is read, beyond what stands there."""

from collections.abc import Iterable
from typing import Any, Final

from dependency_injector import containers, providers

from fastapi_easy.application.locks.lock_store_dependency import LOCK_STORE
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.composition.deferred import deferred
from fastapi_easy.composition.memoized import OptionalSingleton
from fastapi_easy.domain.resources.declaration import Declaration

__all__ = [
    "DATABASE_GROUPS",
    "DatabaseGroup",
    "find_declarations",
    "provider_kind",
    "register_providers",
    "subclass_with",
]

_DEFAULT: Final = "default"


DATABASE_GROUPS: Final = ("databases", "breakers")
"""What there is one of for each database."""


class DatabaseGroup(providers.Container[Any]):
    """The providers of one of `DATABASE_GROUPS`, by the name of the database."""


def find_declarations(container: type[Any]) -> dict[str, Declaration[Any]]:
    """Return the declarations in *container* and its bases, by name; those of a base come first."""
    return {
        name: value.declaration
        for base in reversed(container.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, DeclaredResource)
    }


def register_providers(container: Any, standard_names: Iterable[str]) -> None:
    """Make what *container* has in its body or by inheritance known to the library.

    Args:
        container: The class. What was done for it before is left as it is.

        standard_names: The names of the providers that every container has. Their values may be plain objects.
    """
    for name in (*container.providers, *standard_names):
        # The library reads bodies of containers only, and of several bases the last one.
        value = getattr(container, name, None)
        if value is not container.providers.get(name) and not name.startswith("__"):
            if isinstance(value, providers.Provider):
                setattr(container, name, value)
            elif name in standard_names:
                setattr(container, name, providers.Object(value))
    databases = dict.fromkeys((_DEFAULT, *(each.database for each in find_declarations(container).values())))
    _ensure_named(container, "databases", databases)
    _ensure_named(container, "breakers", (*databases, LOCK_STORE))


def subclass_with(container: type[Any], declarations: dict[str, Declaration[Any]]) -> type[Any]:
    """Make a class that differs from *container* by the resources in *declarations* only."""
    body: dict[str, Any] = {name: DeclaredResource(each) for name, each in declarations.items()}
    kind: Any = type(container)
    made: type[Any] = kind(container.__name__, (container,), body | {"__module__": container.__module__})
    made.__qualname__ = container.__qualname__
    return made


def provider_kind(group: str, name: str) -> type[providers.Singleton[Any]]:
    """Return the class of the provider *name* of *group*.

    Every request asks for the breaker of its database, and that an embedded one has none is answered once. The breaker
    of the locks is asked for anew while there is none, as another lease store may need one.
    """
    return OptionalSingleton if group == "breakers" and name != LOCK_STORE else providers.Singleton


def _ensure_named(container: Any, group: str, names: Iterable[str]) -> None:
    """See to it that *group* of *container* has a provider for each of *names*; those of its bases stay theirs."""
    existing = container.providers.get(group)
    known: dict[str, Any] = {}
    if isinstance(existing, DatabaseGroup):
        known |= existing.container.providers
    if existing is not None and (not isinstance(existing, DatabaseGroup) or known.keys() >= set(names)):
        return
    inner = containers.DynamicContainer()
    for name in (*known, *names):
        inner.set_provider(name, known.get(name) or deferred(provider_kind(group, name), f"{group}.{name}"))
    setattr(container, group, DatabaseGroup(containers.DynamicContainer, container=inner))
