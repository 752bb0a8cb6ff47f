"""Providers that memoize their product for as long as it would be made from the same objects.

A `Factory` follows every override, and makes its product again on each call. A `Singleton` costs next to nothing, and
keeps what it was first made from. These follow overrides like the one, and cost little more than the other.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter, call, is_
from typing import Any, Final, Generic, TypeAlias, TypeVar

from dependency_injector import providers

__all__ = ["Inputs", "Memoized", "MemoizedDelegate", "MemoizedFactory", "OptionalSingleton"]

T = TypeVar("T")
Argument: TypeAlias = Any
"""A provider, or a value that is passed as it is."""

AnyProvider: TypeAlias = providers.Provider[Any]

_CACHE_SIZE: Final = 4
"""Products that are kept: the latest, and those that are needed again when nested overrides end."""

_last_overriding: Final = attrgetter("last_overriding")


class Inputs:
    """The values that a product is made from at one moment.

    `Memoized` providers are looked through, down to the providers their arguments end with: these are called, each
    once, and their values are compared by identity.

    Args:
        roots: The arguments that the product is made from.

        known: Values of some providers at this moment; these are not called again.

    Attributes:
        overrides: The last override of each memoized provider, or `None`.

        provided: The values of the other providers.
    """

    __slots__ = ("_memoized", "_roots", "overrides", "provided")

    def __init__(self, *roots: Argument, known: Mapping[AnyProvider, object] | None = None) -> None:
        memoized: dict[AnyProvider, None] = {}
        givers: dict[AnyProvider, None] = {}
        for root in roots:
            _collect_providers(root, memoized, givers)
        before = {} if known is None else known
        self._roots, self._memoized = roots, tuple(memoized)
        self.overrides = tuple(map(_last_overriding, memoized))
        self.provided: Mapping[AnyProvider, object] = {
            each: before[each] if each in before else each() for each in givers
        }

    def have_changed(self) -> bool:
        """Return whether the product would be made from anything else by now."""
        # `map` and `all` run in C: this is asked for every call of every handler.
        provided = self.provided
        return not (
            all(map(is_, map(_last_overriding, self._memoized), self.overrides))
            and all(map(is_, map(call, provided), provided.values()))
        )

    def refresh(self) -> "Inputs":
        """Return the inputs by now: these, unless something has changed."""
        if not all(map(is_, map(_last_overriding, self._memoized), self.overrides)):
            return Inputs(*self._roots)
        provided = tuple(map(call, self.provided))
        if all(map(is_, provided, self.provided.values())):
            return self
        return Inputs(*self._roots, known=dict(zip(self.provided, provided, strict=True)))

    def equals(self, other: "Inputs") -> bool:
        """Return whether *other*, of the same roots, are the same."""
        return (
            len(self.provided) == len(other.provided)
            and all(map(is_, self.overrides, other.overrides))
            and all(map(is_, self.provided.values(), other.provided.values()))
        )

    def resolve(self, argument: Argument) -> object:
        """Resolve *argument* with these values."""
        match argument:
            case MemoizedDelegate():
                return argument.make_from(self)
            case providers.Delegate():
                return argument.provides
            case Memoized() if argument.last_overriding is None:
                return argument.make_from(self)
            case providers.Provider():
                return self.provided[argument]
            case _:
                return argument


@dataclass(frozen=True, slots=True)
class _CachedProduct(Generic[T]):
    """A product and its inputs."""

    inputs: Inputs
    product: T


class Memoized(providers.Provider[T]):
    """A provider of what *provides* makes of the arguments, kept for as long as these give the same.

    Args:
        provides: Makes the product. It must depend on nothing but its arguments.

        args, kwargs: Passed to it; providers among them are called, and their values passed.
    """

    def __init__(self, provides: Callable[..., T] | None = None, *args: Argument, **kwargs: Argument) -> None:
        # dependency-injector calls it without arguments while it copies, and sets them afterwards.
        self._make: Any = provides
        self._args = args
        self._kwargs = kwargs
        self._cache: tuple[_CachedProduct[T], ...] = ()
        super().__init__()

    def __deepcopy__(self, memo: dict[Any, Any] | None) -> "Memoized[T]":
        """Copy the provider without its product."""
        known: dict[Any, Any] = {} if memo is None else memo
        copied: Memoized[T] | None = known.get(id(self))
        if copied is None:
            copied = known[id(self)] = type(self)(self._make)
            _ = copied.set_args(*(_copy_argument(each, known) for each in self._args))
            _ = copied.set_kwargs(
                **{name: _copy_argument(each, known) for name, each in self._kwargs.items()}
            )
            self._copy_overridings(copied, known)
        return copied

    @property
    def provides(self) -> Any:
        """The callable that makes the product."""
        return self._make

    def set_provides(self, provides: Callable[..., T]) -> "Memoized[T]":
        """Replace what makes the product, from the next call on."""
        self._make = provides
        self._cache = ()
        return self

    def set_args(self, *args: Argument) -> "Memoized[T]":
        """Replace the positional arguments, from the next call on."""
        self._args = args
        self._cache = ()
        return self

    def set_kwargs(self, **kwargs: Argument) -> "Memoized[T]":
        """Replace the keyword arguments, from the next call on."""
        self._kwargs = kwargs
        self._cache = ()
        return self

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The positional arguments, then the keyword arguments."""
        return (*self._args, *self._kwargs.values())

    @property
    def related(self) -> Iterator[AnyProvider]:
        """The providers it depends on."""
        for each in (self._make, *self.arguments):
            if isinstance(each, providers.Provider):
                yield each
        yield from super().related

    def make_from(self, inputs: Inputs) -> T:
        """Make the product from *inputs*."""
        return self._product(Inputs(*self.arguments, known=inputs.provided))

    def _provide(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
        if args or kwargs:
            return self._make_product(Inputs(*self.arguments), *args, **kwargs)
        if not self._cache:
            return self._product(Inputs(*self.arguments))
        latest = self._cache[0]
        inputs = latest.inputs.refresh()
        return latest.product if inputs is latest.inputs else self._product(inputs)

    def _product(self, inputs: Inputs) -> T:
        cached = self._cache
        for known in cached:
            if known.inputs.equals(inputs):
                break
        else:
            known = _CachedProduct(inputs, self._make_product(inputs))
        self._cache = (known, *(each for each in cached if each is not known))[:_CACHE_SIZE]
        return known.product

    def _make_product(self, inputs: Inputs, *more: Any, **others: Any) -> T:
        named = {name: inputs.resolve(each) for name, each in self._kwargs.items()}
        made: T = self._make(*map(inputs.resolve, self._args), *more, **named | others)
        return made


class MemoizedFactory(Memoized[T]):
    """A provider that calls, for each use, the memoized factory that *provides* makes.

    Args:
        provides: Makes the factory of the arguments.
    """

    def _provide(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
        make: Any = super()._provide((), {})
        made: T = make(*args, **kwargs)
        return made


class MemoizedDelegate(providers.Delegate):
    """A provider of the factory of *provides*, which is not called while its product would be the same.

    Args:
        provides: A provider. While it is overridden, it is called for each use.
    """

    def make_from(self, inputs: Inputs) -> Callable[[], Any]:
        """Return the factory of the product, made from *inputs* unless the provider is overridden."""
        provider: Any = self.provides
        if isinstance(provider, Memoized) and provider.last_overriding is None:
            made = provider.make_from(inputs)
            return made if isinstance(provider, MemoizedFactory) else _constant(made)
        asked: Callable[[], Any] = provider
        return asked

    def _provide(self, _args: tuple[Any, ...], _kwargs: Mapping[str, Any]) -> Callable[[], Any]:
        return self.make_from(Inputs(self))


class OptionalSingleton(providers.Singleton[Any]):
    """A singleton that keeps `None` like any other product, until `reset`.

    The library's own takes `None` for "not made yet", and makes it again for each call.
    """

    _is_none = False

    def reset(self) -> Any:
        """Forget the product, and make it anew at the next call."""
        self._is_none = False
        return super().reset()

    def _provide(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if self._is_none:
            return None
        product = super()._provide(args, kwargs)  # type: ignore[misc] # what its stub does not tell
        self._is_none = product is None
        return product


def _constant(product: T) -> Callable[[], T]:
    return lambda: product


def _copy_argument(argument: Argument, memo: dict[Any, Any]) -> Argument:
    return providers.deepcopy(argument, memo) if isinstance(argument, providers.Provider) else argument


def _collect_providers(
    argument: Argument,
    memoized: dict[AnyProvider, None],
    givers: dict[AnyProvider, None],
) -> None:
    """Add the providers that decide whether *argument* gives anything else by now.

    A delegate hands over its provider, whatever that gives, so none decides. A `MemoizedDelegate` does so only while
    its provider is overridden.
    """
    is_source = isinstance(argument, MemoizedDelegate)
    provider = argument.provides if is_source else argument
    if isinstance(provider, Memoized):
        memoized[provider] = None
        if provider.last_overriding is None:
            for each in provider.arguments:
                _collect_providers(each, memoized, givers)
        elif not is_source:
            givers[provider] = None
    elif isinstance(argument, providers.Provider) and not isinstance(argument, providers.Delegate):
        givers[argument] = None
