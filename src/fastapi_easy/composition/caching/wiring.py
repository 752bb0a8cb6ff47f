"""The providers of kept answers, wired on an instance of a container."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dependency_injector import providers

from fastapi_easy.application.cached_tables import CachedTables
from fastapi_easy.application.caching.answers import ANSWERS
from fastapi_easy.application.caching.cached_handler import CachedHandler
from fastapi_easy.application.caching.single_flight import SingleFlight
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.composition.application import Application, Caching
from fastapi_easy.composition.caching.stores import find_cached_tables, open_generations
from fastapi_easy.composition.declared_resource import HANDLERS
from fastapi_easy.composition.deferred import fill
from fastapi_easy.composition.memoized import Memoized
from fastapi_easy.domain.ports import ResultCache
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings

__all__ = ["cached_handlers", "wire_cached_tables"]


def wire_cached_tables(
    application: Application, all_resources: providers.Provider[Mapping[str, Resource[Any]]]
) -> Memoized[CachedTables]:
    """Return a provider of the tables that kept answers of *application* depend on."""
    databases = application.databases.providers
    caching = {each.database for each in application.declarations.values() if each.cache is not None}
    generations = {name: Memoized(open_generations, databases[name]) for name in sorted(caching)}
    tables = Memoized(find_cached_tables, all_resources, **generations)
    application.caching = Caching(tables, SingleFlight())
    return tables


def cached_handlers(
    application: Application, collaborators: Memoized[Collaborators]
) -> Callable[[str, Any], object]:
    """Return what fills the handlers of a resource with a cache, by name; those that read keep their answers."""
    caching = application.caching
    if caching is None:
        raise AssertionError("the tables are wired first")
    operations = {OPERATIONS[each].attribute: each for each in ANSWERS}

    def fill_handler(name: str, provider: Any) -> object:
        if name not in operations:
            return fill(provider, HANDLERS[name], collaborators)
        make = partial(
            _cached_handler, make=HANDLERS[name], operation=operations[name], flights=caching.flights
        )
        return fill(
            provider, make, collaborators, application.result_cache, caching.tables, application.settings
        )

    return fill_handler


def _cached_handler(
    collaborators: Collaborators,
    cache: ResultCache,
    tables: CachedTables,
    settings: Settings,
    **composed: Any,
) -> CachedHandler:
    return CachedHandler(collaborators, cache=cache, tables=tables, limit=settings.deadline, **composed)
