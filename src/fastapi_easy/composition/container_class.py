"""What the class of a container has once its body is read, beyond what stands there."""

from collections.abc import Iterable
from typing import Any, Final

from dependency_injector import containers, providers

from fastapi_easy.application.locks.lock_store_dependency import LOCKS
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.composition.deferred import pending
from fastapi_easy.domain.resources.declaration import Declaration

__all__ = ["GROUPS", "Group", "complete", "declared_in", "with_resources"]

_DEFAULT: Final = "default"


GROUPS: Final = ("databases", "breakers")
"""What there is one of for each database."""


class Group(providers.Container[Any]):
    """The providers of one of `GROUPS`, by the name of the database."""


def declared_in(container: type[Any]) -> dict[str, Declaration[Any]]:
    """The declarations in *container* and its bases, by name; those of a base come first."""
    return {
        name: value.declaration
        for base in reversed(container.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, DeclaredResource)
    }


def complete(container: Any, own: Iterable[str]) -> None:
    """Make what *container* has in its body or by inheritance known to the library.

    Args:
        container: The class. What was done for it before is left as it is.

        own: The names of the providers that every container has. Their values may be plain objects.
    """
    for name in (*container.providers, *own):
        # The library reads bodies of containers only, and of several bases the last one.
        value = getattr(container, name, None)
        if value is not container.providers.get(name) and not name.startswith("__"):
            if isinstance(value, providers.Provider):
                setattr(container, name, value)
            elif name in own:
                setattr(container, name, providers.Object(value))
    databases = dict.fromkeys((_DEFAULT, *(each.database for each in declared_in(container).values())))
    _name(container, "databases", databases)
    _name(container, "breakers", (*databases, LOCKS))


def with_resources(container: type[Any], declarations: dict[str, Declaration[Any]]) -> type[Any]:
    """A class that differs from *container* by the resources in *declarations* only."""
    body: dict[str, Any] = {name: DeclaredResource(each) for name, each in declarations.items()}
    kind: Any = type(container)
    made: type[Any] = kind(container.__name__, (container,), body | {"__module__": container.__module__})
    made.__qualname__ = container.__qualname__
    return made


def _name(container: Any, group: str, names: Iterable[str]) -> None:
    """See to it that *group* of *container* has a provider for each of *names*; those of its bases stay theirs."""
    there = container.providers.get(group)
    known: dict[str, Any] = {}
    if isinstance(there, Group):
        known |= there.container.providers
    if there is not None and (not isinstance(there, Group) or known.keys() >= set(names)):
        return
    inner = containers.DynamicContainer()
    for name in (*known, *names):
        inner.set_provider(name, known.get(name) or pending(providers.Singleton, f"{group}.{name}"))
    setattr(container, group, Group(containers.DynamicContainer, container=inner))
