"""A singleton whose product may be `None`."""

from collections.abc import Callable
from types import NoneType
from typing import Any

from dependency_injector import providers

__all__ = ["OptionalSingleton"]


class OptionalSingleton(providers.Singleton[Any]):
    """A singleton that keeps `None` like any other product, until `reset`.

    The library's own takes `None` for "not made yet", and makes it again for each call.
    """

    _make: Any = None
    _arguments: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    @property
    def provides(self) -> Any:
        """The callable that makes the product."""
        return self._make

    @property
    def args(self) -> tuple[Any, ...]:
        """The positional arguments."""
        return super().args if self._arguments is None else self._arguments[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keyword arguments."""
        return super().kwargs if self._arguments is None else self._arguments[1]

    def set_provides(self, provides: Any) -> "OptionalSingleton":
        """Replace what makes the product, from the next call on."""
        self._make = provides
        if provides is not None:
            _ = super().set_provides(self._once(provides))
        return self

    def reset(self) -> Any:
        """Forget the product, and make it anew at the next call."""
        if self._arguments is not None:
            (args, kwargs), self._arguments = self._arguments, None
            _ = self.set_provides(self._make).set_args(*args).set_kwargs(**kwargs)
        return super().reset()

    def _once(self, make: Callable[..., Any]) -> Callable[..., Any]:
        keep = super().set_provides

        # Not a bound method: the library shows it in the representation of this provider, which would never end.
        def make_once(*args: Any, **kwargs: Any) -> Any:
            product = make(*args, **kwargs)
            if product is None:
                # `NoneType()` is `None` and called from C: requests that ask afterwards run no Python code for it.
                self._arguments = self.args, self.kwargs
                _ = keep(NoneType).set_args().set_kwargs()
            return product

        return make_once
