"""From the outcome of a question to a value, or the message that ends a command."""

from typing import Any, NoReturn

from returns.result import Failure

from fastapi_easy.application.audit.opened_trails import OpenedTrails
from fastapi_easy.application.audit.trail_operations import TrailOperations
from fastapi_easy.domain.errors import Error, Invalid, NotFound, Outcome, Unavailable
from fastapi_easy.domain.unavailable import StorageFull
from fastapi_easy.interfaces.cli.tasks import CommandError


def value_of(answer: Outcome[Any]) -> Any:
    """Return the value of *answer*.

    Raises:
        CommandError: It has failed.
    """
    if isinstance(answer, Failure):
        _raise(answer.failure())
    return answer.unwrap()


def chosen_trail(opened: OpenedTrails, database: str | None) -> TrailOperations:
    """Return the trail of *database*; the only one when it is `None`.

    Raises:
        CommandError: There is none, or several.
    """
    names = [each.database for each in opened.operations]
    if database is None and len(names) > 1:
        raise CommandError(f"name a database with --database: {', '.join(names)}")
    found = [each for each in opened.operations if database in {None, each.database}]
    if not found:
        raise CommandError(f"no audit trail is in database {database!r}: name {', '.join(names)}")
    return found[0]


def _raise(error: Error) -> NoReturn:
    match error:
        case Invalid(faults):
            raise CommandError("\n".join(each.message for each in faults))
        case NotFound(_, key):
            raise CommandError(f"there is no entry {key}, or it was archived")
        case StorageFull(dependency):
            raise CommandError(f"{dependency} has no room left")
        case Unavailable(dependency):
            raise CommandError(f"{dependency} does not answer")
        case other:
            raise CommandError(f"the audit trail cannot be reached: {other.code}")
