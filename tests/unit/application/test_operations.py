"""The table of operations is complete, and every list of operations agrees with it."""

from typing import get_args, get_type_hints

import pytest

from fastapi_easy.application import UseCases
from fastapi_easy.application.operations import OPERATIONS, OperationDefinition
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.domain import Operation
from fastapi_easy.domain.resources.options import READ_ONLY


def test_has_every_operation_in_its_order() -> None:
    assert [*OPERATIONS] == [*Operation]
    assert [each.operation for each in OPERATIONS.values()] == [*Operation]


@pytest.mark.parametrize("definition", OPERATIONS.values(), ids=lambda each: each.operation)
class TestDefinition:
    def test_takes_the_command_that_the_use_cases_take(self, definition: OperationDefinition) -> None:
        command, _ = get_args(get_type_hints(UseCases)[definition.attribute])

        assert definition.command is command

    def test_has_a_provider_that_type_checkers_know(self, definition: OperationDefinition) -> None:
        assert definition.attribute in DeclaredResource.__annotations__

    def test_has_a_key_where_its_command_has_one(self, definition: OperationDefinition) -> None:
        assert definition.has_key == ("key" in get_type_hints(definition.command))


def test_operations_that_write_are_all_but_the_read_only_ones() -> None:
    assert {each.operation for each in OPERATIONS.values() if not each.writes} == {
        *READ_ONLY,
        Operation.HISTORY,
    }
