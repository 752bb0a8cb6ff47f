"""The application behind one object, for interfaces, scripts and tests."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar, overload

from fastapi_easy.application.calls.bound_resource import BoundResource
from fastapi_easy.application.calls.caller import Caller
from fastapi_easy.application.calls.declared import Declared
from fastapi_easy.application.calls.dynamic_resource import DynamicResource
from fastapi_easy.application.calls.unknown_names import unknown_name_message
from fastapi_easy.application.context import Context, DryRun
from fastapi_easy.application.use_cases import UseCases
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.principal import Principal, Tenant

E = TypeVar("E")


class Kernel:
    """The resources of one application and their use cases, for one caller: anonymous until `acting_as` says who.

    `kernel.books` is the resource declared as `books`; `kernel.resource(shop.books)` is the same one as type checkers
    know it. A resource that is called like a method of this class is reached in the second way only.

    Args:
        resources: The use cases of each resource, by its name.

        caller: The caller, and how calls are made; anonymous unless given.

        units_of_work: Makes the unit of work of a caller, by the name of the database.
    """

    __slots__ = ("_bound", "_caller", "_resources", "_units_of_work")

    def __init__(
        self,
        resources: Mapping[str, UseCases],
        caller: Caller | None = None,
        units_of_work: Mapping[str, Callable[[Context], UnitOfWork]] = MappingProxyType({}),
    ) -> None:
        self._resources = dict(resources)
        self._caller = caller or Caller()
        self._units_of_work = units_of_work
        self._bound: dict[str, DynamicResource] = {}

    def use_cases(self, name: str) -> UseCases:
        """Return the use cases of resource *name*, for callers that make commands and contexts themselves.

        Raises:
            KeyError: No resource has that name.
        """
        found = self._resources.get(name)
        if found is None:
            raise KeyError(unknown_name_message("there is no resource", name, self._resources))
        return found

    @overload
    def resource(self, declared: Declared[E], /) -> BoundResource[E]: ...

    @overload
    def resource(self, declared: str, /) -> BoundResource[Any]: ...

    def resource(self, declared: Declared[Any] | str, /) -> BoundResource[Any]:
        """Return the use cases of one resource as methods.

        Args:
            declared: The resource as it stands in the container, `shop.books`, or its name.

        Raises:
            KeyError: There is no such resource in this application.
        """
        return self._bind(declared if isinstance(declared, str) else declared.name)

    def unit_of_work(self, database: str = "default") -> UnitOfWork:
        """Return a unit of work for this caller: `async with kernel.unit_of_work() as work`.

        Its repositories show what the caller may see, and every change that is made through them is recorded.

        Args:
            database: The name of the database in the settings.

        Raises:
            KeyError: No resource lives in such a database.
        """
        found = self._units_of_work.get(database)
        if found is None:
            raise KeyError(
                unknown_name_message("no resource lives in a database", database, self._units_of_work)
            )
        return found(self._caller.context())

    def acting_as(
        self,
        principal: Principal = UNSET,
        *,
        tenant: Tenant | None = UNSET,
        correlation_id: str = UNSET,
        idempotency_key: str | None = UNSET,
        timeout: float | None = UNSET,
        dry_run: bool | DryRun = UNSET,
    ) -> "Kernel":
        """Return this kernel for another caller, sharing everything; what is left out stays as it is.

        Args:
            principal: The caller.

            tenant: The partition that calls work in; that of *principal* when only a principal is given.

            correlation_id: Ties together everything that the calls cause; 1 to 128 printable ASCII characters.

            idempotency_key: Identifies the call, so that a repetition gets the first answer.

            timeout: Seconds that each call may take; `None` for as many as the settings say.

            dry_run: Roll every change back; a `DryRun` collects the events that would have been published.
        """
        if principal is not UNSET and tenant is UNSET:
            tenant = principal.tenant
        given_context = {
            "principal": principal,
            "tenant": tenant,
            "correlation_id": correlation_id,
            "idempotency_key": idempotency_key,
        }
        changes: dict[str, Any] = {name: value for name, value in given_context.items() if value is not UNSET}
        how: dict[str, Any] = {} if timeout is UNSET else {"timeout": timeout}
        if dry_run is not UNSET:
            changes["dry_run"] = dry_run if isinstance(dry_run, DryRun) else None
            how["is_dry_run"] = dry_run is True
        caller = replace(self._caller, base_context=replace(self._caller.base_context, **changes), **how)
        return Kernel(self._resources, caller, self._units_of_work)

    def _bind(self, name: str) -> DynamicResource:
        bound = self._bound.get(name)
        if bound is None:
            bound = self._bound[name] = DynamicResource(self.use_cases(name), self._caller)
        return bound

    def __getattr__(self, name: str) -> DynamicResource:
        # `copy`, `pickle` and debuggers look up special names that are no resources.
        if name.startswith("_"):
            raise AttributeError(name, name=name, obj=self)
        if name not in self._resources:
            raise AttributeError(
                unknown_name_message("there is no resource", name, dir(self)), name=name, obj=self
            )
        return self._bind(name)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._resources]

    def __iter__(self) -> Iterator[UseCases]:
        return iter(self._resources.values())

    def __len__(self) -> int:
        return len(self._resources)
