"""The suite for policies is worth something: without the policy in any one place it fails, and says where."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from dependency_injector import providers
from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.composition.declared_resource import HANDLERS
from fastapi_easy.domain import Error, Everything, Grant, Include, Resource, Row, Specification
from fastapi_easy.domain.queries.query import Query
from tests.conformance import policy_entities as entities
from tests.conformance.policy_shop import ShopConformance, opened_at, shop_of

SHOP = shop_of(entities.GenreData, entities.AuthorData, entities.BookData)
RESOURCES = ("genres", "authors", "books")


class InPython(ShopConformance):
    __test__ = False
    doors = ("python",)


async def found_by(caller: str, handlers: Mapping[str, Any]) -> set[str]:
    """The operations that the suite names, as *caller*, with these *handlers* in place of those of every resource."""
    shop = opened_at(SHOP, "memory://")
    with ExitStack() as overrides:
        for name in RESOURCES:
            declared = getattr(shop, name)
            for attribute, make in handlers.items():
                made = providers.Callable(lambda declared=declared, make=make: make(declared.collaborators()))
                overrides.enter_context(getattr(declared, attribute).override(made))
        leaks = await InPython().find_leaks(shop, caller)
    return {leak.operation.split()[0] for leak in leaks}


# What a feed tells to whom has tests of its own: it never ends, so that the suite cannot wait for its answer. So have
# histories, which need an audit trail.
@pytest.mark.parametrize("attribute", [each for each in HANDLERS if each not in {"changes", "history"}])
async def test_a_use_case_without_the_policy_is_found(attribute: str) -> None:
    handler = HANDLERS[attribute]

    def without_policy(collaborators: Any) -> Any:
        return handler(replace(collaborators, ports=replace(collaborators.ports, policy=None)))

    found = await found_by("foreign", {attribute: without_policy})

    assert {"perform": "retitle", "import_": "import"}.get(attribute, attribute) in found


class EveryRow(Access):
    """Grants everything on every row."""

    __slots__ = ()

    def grant(self, resource: Resource[object], action: str) -> Grant | None:
        granted = super().grant(resource, action)
        return None if granted is None else replace(granted, rows=Everything())

    def read_grant(self, resource: Resource[object]) -> Grant:
        return replace(super().read_grant(resource), rows=Everything())


class EveryReadRow(Access):
    """Shows every row to reads."""

    __slots__ = ()

    def scope_repository(self, resource: Resource[Any], repository: Any, action: str | None = None) -> Any:
        return repository


class EveryQuery(Access):
    __slots__ = ()

    def check_query(self, resource: Resource[object], query: Query) -> Failure[Error] | None:
        return None


class EveryReadableField(Access):
    __slots__ = ()

    def check_readable(self, resource: Resource[object], names: Sequence[str]) -> Failure[Error] | None:
        return None


class EveryWritableField(Access):
    __slots__ = ()

    def writable(self, resource: Resource[object], action: str) -> frozenset[str] | None:
        return None


class EveryShownField(Access):
    __slots__ = ()

    def readable(self, resource: Resource[object]) -> tuple[str, ...]:
        return resource.readable

    def visible_row(self, resource: Resource[object], row: Row, includes: Sequence[Include] = ()) -> Row:
        return row


class EveryRelation(Access):
    __slots__ = ()

    def restrict_relations(self, specification: Specification) -> Specification:
        return specification


class EveryReference(Access):
    __slots__ = ()

    def sees_all(self, resource: Resource[object], action: str | None = None) -> bool:
        return True


def with_access(seam: type[Access]) -> dict[str, Any]:
    """Every handler, with access of the class *seam*."""

    def changed(handler: Any) -> Any:
        class Changed(handler):  # type: ignore[misc]
            async def _enter(self, context: Any, action: str) -> Any:
                access = await super()._enter(context, action)
                if isinstance(access, Access):
                    access.__class__ = seam
                return access

        return Changed

    return {attribute: changed(handler) for attribute, handler in HANDLERS.items()}


READS = {"list", "count", "aggregate", "export"}
WRITES = {"replace", "update", "delete", "restore", "purge", "upsert", "bulk"}
WITH_VALUES = {"create", "replace", "update", "upsert", "bulk", "import"}
SHOWING = {"get", "list", "export", "restore", "retitle"} | WITH_VALUES - {"import"}


@pytest.mark.parametrize(
    ("seam", "caller", "operations"),
    [
        pytest.param(EveryRow, "foreign", READS | WRITES | {"get", "retitle"}, id="rows"),
        # A get asks for its row with the grant itself.
        pytest.param(EveryReadRow, "foreign", READS, id="rows of reads"),
        pytest.param(EveryQuery, "owner", READS | {"bulk"}, id="queries"),
        pytest.param(EveryReadableField, "owner", READS | {"bulk"}, id="compared fields"),
        pytest.param(EveryWritableField, "owner", WITH_VALUES, id="written fields"),
        pytest.param(
            EveryShownField,
            "owner",
            {"get", "list", "export", "retitle"} | WITH_VALUES - {"import"},
            id="shown fields",
        ),
        pytest.param(EveryRelation, "foreign", READS, id="relations"),
        pytest.param(EveryReference, "foreign", WITH_VALUES - {"replace"}, id="references"),
    ],
)
async def test_a_seam_that_lets_everything_through_is_found(
    seam: type[Access], caller: str, operations: set[str]
) -> None:
    found = await found_by(caller, with_access(seam))

    assert operations <= found


async def test_the_suite_names_who_reached_what_by_which_operation_and_door() -> None:
    shop = opened_at(SHOP, "memory://")
    handler = HANDLERS["delete"]

    def without_policy() -> Any:
        collaborators = shop.books.collaborators()
        return handler(replace(collaborators, ports=replace(collaborators.ports, policy=None)))

    with shop.books.delete.override(providers.Callable(without_policy)):
        leaks = await InPython().find_leaks(shop, "foreign")

    told = [str(leak) for leak in leaks]
    start = "books.delete (If-Match) over python, as the foreign caller: something hidden is answered by done"
    assert any(each.startswith(start) for each in told)
    assert any("has other values in" in each for each in told)
