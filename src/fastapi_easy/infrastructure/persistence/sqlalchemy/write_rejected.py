"""A write that cannot be made."""

from typing import Any, Final

from sqlalchemy import Delete, Insert, Update

from fastapi_easy.domain.errors import CheckFailed, Error, Unsupported
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.relational.driver.executor import StatementResult
from fastapi_easy.infrastructure.relational.errors import NO_WAY_TO_CHANGE

_LEFT_OUT: Final = "The store's own code has left the change out."
"""Of a trigger that returns null, of `RAISE(IGNORE)`, and of a row that is gone under its key right afterwards."""


class WriteRejected(Exception):
    """Raised for a write that cannot be made; caught by the repository, which returns its error.

    Attributes:
        error: What the repository returns.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(error.code)


def left_out(resource: Resource[Any]) -> WriteRejected:
    """Return the refusal of a write that the store's own code has left out."""
    return WriteRejected(CheckFailed(resource.name, (), reason=_LEFT_OUT))


def check_view(plan: Plan, statement: Insert | Update | Delete) -> None:
    """Refuse *statement* where the table is a view that has no code for it."""
    if statement.__visit_name__ in plan.triggers.lacks:
        raise WriteRejected(Unsupported(plan.resource.name, NO_WAY_TO_CHANGE))


def check_inserted(plan: Plan, answer: StatementResult, count: int) -> None:
    """Refuse the new rows of *answer* unless they are *count*, all of them with keys.

    Code of the store may leave some of them out; that of a view may make their keys, and not tell them.
    """
    if plan.triggers.exist and len(answer.records) != count:
        raise left_out(plan.resource)
    if plan.triggers.is_view:
        places = [plan.names.index(name) for name in plan.resource.key]
        if any(record[place] is None for record in answer.records for place in places):
            raise WriteRejected(Unsupported(plan.resource.name, "telling the key of a new entity"))
