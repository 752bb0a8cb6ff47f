"""A module of a user's own, with what it wants from the container named in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from dependency_injector import containers, providers
from dependency_injector.wiring import Provide, Provider, inject
from fastapi import APIRouter, Depends

from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Query


@dataclass
class Recipe:
    """Something to cook."""

    title: str
    id: int | None = None


@dataclass
class Guest:
    """Somebody to cook for."""

    name: str
    id: int | None = None


class Kitchen(Container):
    """Two databases, and something of its own."""

    config = providers.Configuration()
    recipes = resource(Recipe)
    guests = resource(Guest, database="house")
    menu = providers.Factory(dict, recipes=recipes.repository)


class WiredKitchen(Kitchen):
    """Wires this module by itself."""

    wiring_config = containers.WiringConfiguration(modules=[__name__])


router = APIRouter()
clock: Any = Provide["clock"]


@inject
def by_name(
    repository: Any = Provide["recipes.repository"],
    work: Callable[[], Any] = Provider["guests.unit_of_work"],
    database: Any = Provide["databases.house"],
    menu: Any = Provide["menu"],
) -> tuple[Any, ...]:
    """What was asked for by name."""
    return repository, work, database, menu


@inject
def by_reference(
    repository: Any = Provide[Kitchen.recipes.repository],
    work: Callable[[], Any] = Provider[Kitchen.guests.unit_of_work],
    database: Any = Provide[Kitchen.databases.house],
    menu: Any = Provide[Kitchen.menu],
) -> tuple[Any, ...]:
    """The same, by reference."""
    return repository, work, database, menu


@inject
def what_is_within(
    deadline: float = Provide[Container.settings.provided.deadline],
    spice: str = Provide[Kitchen.config.spice],
    kitchen: Any = Provide["<container>"],
) -> tuple[Any, ...]:
    """Attributes, options, and the container itself."""
    return deadline, spice, kitchen


@inject
async def declared_in_a_file(repository: Any = Provide["memos.repository"]) -> Any:
    """A resource that no class has."""
    return repository


@router.get("/titles")
@inject
async def titles(repository: Annotated[Any, Depends(Provide["recipes.repository"])]) -> list[str]:
    """A route."""
    return [row["title"] for row in (await repository.select(Query())).unwrap().items]
