"""The units of work of one database, and the repositories of changes that need none."""

from collections.abc import Callable
from typing import Any

from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.changes.caller_unit_of_work import CallerUnitOfWork
from fastapi_easy.application.changes.writes import Write
from fastapi_easy.domain.ports.event_bus import Interest
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.addressable_keys import text_key_of
from fastapi_easy.domain.resources.resource import Resource


class UnitsOfWork:
    """Makes units of work, each of which makes its repositories when they are first used.

    Args:
        make_inner: Makes a unit of work of the store.

        ports: The ports that the units of work use.
    """

    def __init__(
        self,
        make_inner: Callable[[], UnitOfWork],
        ports: ApplicationPorts,
    ) -> None:
        self._make_inner = make_inner
        self._ports = ports

    def __call__(self, *args: Any, **kwargs: Any) -> UnitOfWork:
        """Return a new unit of work; the arguments are those of `CallerUnitOfWork`."""
        return CallerUnitOfWork(*args, inner=self._make_inner(), ports=self._ports, **kwargs)

    def single_writes(
        self, resource: Resource[Any], repository: Callable[[], Repository[Any]]
    ) -> "SingleWrites | None":
        """Return what makes single changes of *resource* without a unit of work; `None` where each needs one.

        Args:
            resource: The resource.

            repository: Makes its repository outside of any unit of work.
        """
        ports, cached = self._ports, self._ports.cached
        if (
            resource.rules is not None
            or resource.audit is not None
            or ports.journal_of(resource) is not None
            or (cached is not None and resource.name in cached.raised)
        ):
            return None
        return SingleWrites(resource, repository, ports)


class SingleWrites:
    """Changes of one resource that are one call of its repository, and stand alone in the store.

    What a `CallerUnitOfWork` finds out about such a change is decided before it is made: nothing has to be undone,
    checked, recorded or told to anybody.

    Args:
        resource: The resource.

        repository: Makes its repository.

        ports: The ports of the application.
    """

    __slots__ = ("_event_bus", "_has_text_key", "_name", "_repository")

    def __init__(
        self, resource: Resource[Any], repository: Callable[[], Repository[Any]], ports: ApplicationPorts
    ) -> None:
        self._name = resource.name
        self._has_text_key = text_key_of(resource) is not None
        self._repository = repository
        self._event_bus = ports.event_bus

    def repository_for(self, write: Write) -> Repository[Any] | None:
        """Return the repository that makes *write* at once; `None` where somebody wants to know of it."""
        if write.creates and self._has_text_key:
            return None
        interest = self._event_bus.interest
        if interest(write.before_change, self._name) is not Interest.NONE:
            return None
        if interest(write.event, self._name) is not Interest.NONE:
            return None
        return self._repository()
