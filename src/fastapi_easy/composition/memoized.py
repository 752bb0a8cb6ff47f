"""Providers that make something anew only when it would be made from other things than before.

A `Factory` is followed by every override and costs its making on each call; a `Singleton` costs next to nothing and
keeps what it was first made from. What is made here follows like the one and costs little more than the other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter, call, is_
from typing import Any, Final, Generic, TypeVar

from dependency_injector import providers

__all__ = ["Inputs", "Memoized", "Source"]

T = TypeVar("T")

_KEPT: Final = 4
"""Products that are kept: that of today, and those that come back when overrides end that stand within one another."""

_overriding: Final = attrgetter("last_overriding")


class Inputs:
    """What something is made from at this moment.

    Providers that only make something of others are looked through, down to those that know more than others: these
    are asked each time, and what they give is compared by identity.

    Args:
        roots: What it is made from.
    """

    __slots__ = ("_given", "_givers", "_makers", "_overrides")

    def __init__(self, *roots: Any) -> None:
        makers: dict[providers.Provider[Any], None] = {}
        givers: dict[providers.Provider[Any], None] = {}
        for root in roots:
            _look_through(root, makers, givers)
        self._makers, self._givers = tuple(makers), tuple(givers)
        self._overrides = tuple(map(_overriding, self._makers))
        self._given = tuple(map(call, self._givers))

    def have_changed(self) -> bool:
        """Whether it would be made from anything else by now."""
        return not (
            all(map(is_, map(_overriding, self._makers), self._overrides))
            and all(map(is_, map(call, self._givers), self._given))
        )


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """A product, and what it was made from."""

    inputs: Inputs
    product: T


class Memoized(providers.Provider[T]):
    """Calls *provides* with what its arguments give, and keeps the answer for as long as they give the same.

    Args:
        provides: Makes the product. It has to depend on nothing but its arguments.

        args, kwargs: Passed to it; providers among them are asked.
    """

    def __init__(self, provides: Callable[..., T] | None = None, *args: Any, **kwargs: Any) -> None:
        # The library makes one without while it copies.
        self._make: Any = provides
        self._args = args
        self._kwargs = kwargs
        self._kept: tuple[_Kept[T], ...] = ()
        super().__init__()

    def __deepcopy__(self, memo: dict[Any, Any] | None) -> "Memoized[T]":
        """A copy that has made nothing yet."""
        known: dict[Any, Any] = {} if memo is None else memo
        copied: Memoized[T] | None = known.get(id(self))
        if copied is None:
            copied = known[id(self)] = type(self)(self._make)
            _ = copied.set_args(*(_copied(each, known) for each in self._args))
            _ = copied.set_kwargs(**{name: _copied(each, known) for name, each in self._kwargs.items()})
            self._copy_overridings(copied, known)
        return copied

    @property
    def provides(self) -> Any:
        """What makes the product."""
        return self._make

    def set_provides(self, provides: Callable[..., T]) -> "Memoized[T]":
        """From now on make the product by *provides*."""
        self._make = provides
        self._kept = ()
        return self

    def set_args(self, *args: Any) -> "Memoized[T]":
        """From now on pass *args*."""
        self._args = args
        self._kept = ()
        return self

    def set_kwargs(self, **kwargs: Any) -> "Memoized[T]":
        """From now on pass *kwargs*."""
        self._kwargs = kwargs
        self._kept = ()
        return self

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What is passed, by place and then by name."""
        return (*self._args, *self._kwargs.values())

    @property
    def related(self) -> Iterator[providers.Provider[Any]]:
        """The providers it depends on."""
        for each in (self._make, *self.arguments):
            if isinstance(each, providers.Provider):
                yield each
        yield from super().related

    def _provide(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
        if args or kwargs:
            return self._made(args, kwargs)
        kept = self._kept
        if kept and not kept[0].inputs.have_changed():
            return kept[0].product
        return self._renew(kept)

    def _renew(self, kept: tuple[_Kept[T], ...]) -> T:
        for known in kept[1:]:
            if not known.inputs.have_changed():
                break
        else:
            # Before the product: what changes in between is then seen by the next call.
            inputs = Inputs(*self.arguments)
            known = _Kept(inputs, self._made((), {}))
        self._kept = (known, *(each for each in kept if each is not known))[:_KEPT]
        return known.product

    def _made(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
        given = {name: _asked(each) for name, each in self._kwargs.items()}
        made: T = self._make(*map(_asked, self._args), *args, **given | dict(kwargs))
        return made


class Source(providers.Delegate):
    """Hands over what gives the product of *provides*, without asking it while it would give the same.

    Args:
        provides: A provider. While it is overridden, it is asked for each use.
    """

    def _provide(self, _args: tuple[Any, ...], _kwargs: Mapping[str, Any]) -> Callable[[], Any]:
        provider: Any = self.provides
        if isinstance(provider, Memoized) and provider.last_overriding is None:
            return _giving(provider())
        asked: Callable[[], Any] = provider
        return asked


def _giving(product: T) -> Callable[[], T]:
    return lambda: product


def _asked(argument: Any) -> Any:
    return argument() if isinstance(argument, providers.Provider) else argument


def _copied(argument: Any, memo: dict[Any, Any]) -> Any:
    return providers.deepcopy(argument, memo) if isinstance(argument, providers.Provider) else argument


def _look_through(
    argument: Any,
    makers: dict[providers.Provider[Any], None],
    givers: dict[providers.Provider[Any], None],
) -> None:
    """Add what has to be looked at to know whether *argument* gives anything else by now.

    A delegate hands over its provider, whatever that gives. So does a `Source` while its provider is overridden.
    """
    is_source = isinstance(argument, Source)
    provider = argument.provides if is_source else argument
    if isinstance(provider, Memoized):
        makers[provider] = None
        if provider.last_overriding is None:
            for each in provider.arguments:
                _look_through(each, makers, givers)
        elif not is_source:
            givers[provider] = None
    elif isinstance(argument, providers.Provider) and not isinstance(argument, providers.Delegate):
        givers[argument] = None
