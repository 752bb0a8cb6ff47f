"""Which dependencies cover a resource: the app's, those of the mount, and its own."""

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.params import Depends

from fastapi_easy.domain import Resource
from fastapi_easy.interfaces.http.authentication.caller_identification import CallerIdentification
from fastapi_easy.interfaces.http.dependencies.guard import Guard
from fastapi_easy.interfaces.http.fastapi_internals import get_parameterless_sub_dependant
from fastapi_easy.interfaces.http.options import HttpOptions


class Guards:
    """The guards of the resources of one app, one for all resources with the same dependencies.

    Args:
        app: Its router's dependencies cover every resource, as they cover its routes.

        options: How much of a body dependencies may read.

        added: Dependencies of every resource besides those of *app*.

        principal: Answers who the caller is.

        identification: Identifies callers before everything else; `None` where there are no authenticators, or
            *principal* takes their place.

    Attributes:
        identification: The same.
    """

    def __init__(
        self,
        app: FastAPI,
        options: HttpOptions,
        added: Sequence[Depends] = (),
        principal: Depends | None = None,
        identification: CallerIdentification | None = None,
    ) -> None:
        self.identification = identification
        self._app = app
        self._options = options
        self._added = tuple(added)
        self._principal = principal
        # By identity: a `Security` with a list of scopes has no hash.
        self._cache: dict[tuple[int, ...], Guard] = {}

    def dependencies_of(self, resource: Resource[Any]) -> tuple[Depends, ...]:
        """Return the dependencies that run before every operation of *resource*, in their order."""
        return (*self._app.router.dependencies, *self._added, *resource.dependencies)

    def openapi_dependencies(self, resource: Resource[Any]) -> tuple[Depends, ...]:
        """Return the dependencies whose parameters callers of *resource* have to know of."""
        dependencies_of = self.dependencies_of(resource)
        return dependencies_of if self._principal is None else (*dependencies_of, self._principal)

    def of(self, resource: Resource[Any]) -> Guard | None:
        """Return the guard of *resource*, or `None` where no dependency covers it."""
        dependencies = self.dependencies_of(resource)
        if not dependencies and self._principal is None:
            return None
        same = tuple(map(id, dependencies))
        guard = self._cache.get(same)
        if guard is None:
            guard = self._cache[same] = Guard(self._app, dependencies, self._options, self._principal)
        return guard


def find_dependency_mistakes(where: str, dependencies: Iterable[object]) -> list[str]:
    """Return what is no dependency among *dependencies*, with the way to mend it.

    Args:
        where: Who declared them.

        dependencies: What was given as such.

    Raises:
        FastAPIError: FastAPI cannot read the parameters of one.
    """
    return [f"{where}: {sentence}" for each in dependencies if (sentence := _find_mistake(each)) is not None]


def _find_mistake(dependency: object) -> str | None:
    if not isinstance(dependency, Depends):
        name = getattr(dependency, "__name__", repr(dependency))
        return f"dependencies holds {name}, which is not a dependency: write Depends({name})"
    if not callable(dependency.dependency):
        return f"dependencies holds {dependency!r}, which names no function: write Depends(function)"
    # Now, and not at the first request, which is when its parameters are needed.
    _ = get_parameterless_sub_dependant(depends=dependency, path="/")
    return None
