"""Providers on the class of a container: what they make is said on its instances."""

from collections.abc import Callable
from typing import Any, NoReturn

from dependency_injector import providers

from fastapi_easy.domain.errors import DeclarationError

__all__ = ["Pending", "fill", "pending", "pending_in"]


class Pending:
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
        """Refuse.

        Raises:
            DeclarationError: Always; says what to do instead.
        """
        raise DeclarationError(
            [
                (
                    f"the class of a container makes no {self.path}: make an instance, shop = Shop(), and ask "
                    f"shop.{self.path}()"
                )
            ]
        )


def pending(kind: Callable[[Pending], Any], name: str, owner: Any = None) -> Any:
    """A provider of *kind*, for the class."""
    stands_in = Pending(name, owner)
    provider = stands_in.original = kind(stands_in)
    return provider


def pending_in(*roots: providers.Provider[Any]) -> list[tuple[Any, Pending]]:
    """The providers that *roots* depend on and nobody has filled yet; those on classes are never filled."""
    return [
        (each, made)
        for each in providers.traverse(*roots)
        if isinstance(made := getattr(each, "provides", None), Pending) and each is not made.original
    ]


def fill(provider: Any, provides: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """*provider*, which from now on calls *provides* with what *args* and *kwargs* give."""
    return provider.set_provides(provides).set_args(*args).set_kwargs(**kwargs)
