"""Providers on the class of a container: what they make is said on its instances."""

from collections.abc import Callable
from typing import Any, NoReturn

from dependency_injector import providers

from fastapi_easy.domain.errors import DeclarationError

__all__ = ["DeferredProduct", "deferred", "fill", "find_deferred"]


class DeferredProduct:
    """Stands for what a provider makes, on the class.

    An instance is a copy of its class. Each copy of a provider that is pending is filled there, from the providers of
    that very instance, whatever took their places in a subclass.

    Args:
        name: Of the provider, as users write it.

        owner: The resource whose provider it is; without one it is the container's own.

    Attributes:
        original: The provider on the class.
    """

    __slots__ = ("name", "original", "owner")

    def __init__(self, name: str, owner: Any) -> None:
        self.name = name
        self.owner = owner
        self.original: Any = None

    @property
    def path(self) -> str:
        """The provider, as seen from the container."""
        return self.name if self.owner is None else f"{self.owner.name or '<resource>'}.{self.name}"

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise.

        Raises:
            DeclarationError: Always; says what to do instead.
        """
        raise DeclarationError(
            [
                (
                    f"a container class provides no {self.path}: create an instance, shop = Shop(), and call "
                    f"shop.{self.path}()"
                )
            ]
        )


def deferred(kind: Callable[[DeferredProduct], Any], name: str, owner: Any = None) -> Any:
    """Make a provider of *kind*, for the class."""
    placeholder = DeferredProduct(name, owner)
    provider = placeholder.original = kind(placeholder)
    return provider


def find_deferred(*roots: providers.Provider[Any]) -> list[tuple[Any, DeferredProduct]]:
    """Return the providers that *roots* depend on and that are not filled yet; those on classes never are."""
    return [
        (each, made)
        for each in providers.traverse(*roots)
        if isinstance(made := getattr(each, "provides", None), DeferredProduct) and each is not made.original
    ]


def fill(provider: Any, provides: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Make *provider* call *provides* with what *args* and *kwargs* give, and return it."""
    return provider.set_provides(provides).set_args(*args).set_kwargs(**kwargs)
