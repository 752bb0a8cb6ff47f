"""What the kernel promises: the use cases of each resource by name."""

from typing import Any

import pytest

from fastapi_easy.application.context import Context
from fastapi_easy.application.kernel import Kernel, UseCases
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resource import Resource
from tests.unit.application.fakes import ORDERS, THINGS, reader_of


async def nothing(command: Any, context: Context, /) -> Outcome[Any]:
    raise NotImplementedError


def use_cases_of(resource: Resource[Any]) -> UseCases:
    return UseCases(
        resource=resource,
        queries=reader_of(resource),
        create=nothing,
        get=nothing,
        list=nothing,
        count=nothing,
        replace=nothing,
        update=nothing,
        delete=nothing,
        restore=nothing,
        purge=nothing,
        upsert=nothing,
        bulk=nothing,
        aggregate=nothing,
        export=nothing,
        import_=nothing,
        actions={},
    )


def test_gives_the_use_cases_of_a_resource() -> None:
    orders, things = use_cases_of(ORDERS), use_cases_of(THINGS)

    kernel = Kernel({"orders": orders, "things": things})

    assert kernel.use_cases("things") is things
    assert list(kernel) == [orders, things]
    assert len(kernel) == 2


def test_knows_no_other_resource() -> None:
    with pytest.raises(KeyError):
        _ = Kernel({}).use_cases("orders")


def test_does_not_follow_the_mapping_it_was_made_from() -> None:
    mapping = {"orders": use_cases_of(ORDERS)}
    kernel = Kernel(mapping)

    mapping.clear()

    assert len(kernel) == 1
