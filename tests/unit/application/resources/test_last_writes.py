"""Which use cases tell their unit of work that one write is all: it then needs no beginning and no end."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from fastapi_easy.application.context import DryRun
from fastapi_easy.application.resources.create_entity import CreateEntity, CreateEntityHandler
from fastapi_easy.application.resources.delete_entity import DeleteEntity, DeleteEntityHandler
from fastapi_easy.application.resources.replace_entity import ReplaceEntity, ReplaceEntityHandler
from fastapi_easy.application.resources.update_entity import UpdateEntity, UpdateEntityHandler
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.queries.specification import AnyOf, Everything, Operator, Specification, Where
from fastapi_easy.domain.resources.resource import Resource
from tests.policies import RowPolicy
from tests.unit.application.fakes import ADA, Store

WHOLE = {"status": "paid", "total": 1}
CALLS: dict[str, tuple[Any, Any]] = {
    "create": (CreateEntityHandler, CreateEntity({"id": 1, "status": "new", "total": 1})),
    "update": (UpdateEntityHandler, UpdateEntity(1, Patch({"status": "paid"}))),
    "replace": (ReplaceEntityHandler, ReplaceEntity(1, WHOLE)),
    "delete": (DeleteEntityHandler, DeleteEntity(1)),
}


class Seeing(RowPolicy):
    """Implements `Policy`: everybody sees what *specification* means."""

    def __init__(self, specification: Specification) -> None:
        self._specification = specification

    def visible(self, principal: Principal, tenant: Tenant | None, resource: Resource[Any]) -> Specification:
        return self._specification


async def asked(name: str, *, policy: Seeing | None = None, context: Any = ADA) -> list[bool]:
    store = Store()
    if name != "create":
        _ = await store.put()
    handler, command = CALLS[name]
    _ = (await handler(store.collaborators(policy=policy))(command, context)).unwrap()
    return store.last


@pytest.mark.parametrize("name", CALLS)
async def test_a_change_of_one_entity_is_a_single_write(name: str) -> None:
    assert await asked(name) == [True]
    assert await asked(name, policy=Seeing(Everything())) == [True]


@pytest.mark.parametrize("name", CALLS)
async def test_a_dry_run_makes_no_single_write(name: str) -> None:
    assert await asked(name, context=dataclasses.replace(ADA, dry_run=DryRun())) == [False]


@pytest.mark.parametrize("name", CALLS)
async def test_a_write_that_may_leave_the_callers_sight_joins_a_transaction(name: str) -> None:
    visible = Seeing(Where("status", Operator.IN, ("new", "paid")))

    # What is removed nobody has to see afterwards.
    assert await asked(name, policy=visible) == ([True] if name == "delete" else [True, False])


@pytest.mark.parametrize("name", ["create", "update", "delete"])
async def test_a_write_that_surely_stays_in_sight_is_a_single_write(name: str) -> None:
    totals = AnyOf(tuple(Where("total", Operator.EQUALS, each) for each in (1, Decimal("9.50"))))

    assert await asked(name, policy=Seeing(totals)) == [True]
