"""What the commands below `policy` ask of an application."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from fastapi_easy.composition.application import Application
from fastapi_easy.composition.policies.documents import explanation_document, matrix_document
from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.relational.sqlite.kept_files import files_as_they_are
from fastapi_easy.interfaces.cli.diagnosis import check_sqlite_file
from fastapi_easy.interfaces.cli.policy.tasks import Document, PolicyQuestion, PolicyTasks
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

__all__ = ["policy_tasks"]


def policy_tasks(
    find: Callable[[Target], Application], report_mistakes: Callable[[], AbstractContextManager[None]]
) -> PolicyTasks:
    """Return what the commands below `policy` call.

    Args:
        find: Returns the container of the application at a target. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.
    """

    def explain(asked: PolicyQuestion) -> Document:
        caller = Principal(
            id=asked.caller,
            roles=frozenset(asked.roles),
            claims=dict(asked.claims),
            scopes=None if asked.scopes is None else frozenset(asked.scopes),
        )
        application = find(asked.target)
        _refuse_absent_file(application, asked.entity)
        try:
            with report_mistakes(), files_as_they_are():
                return asyncio.run(
                    explanation_document(application, caller, asked.tenant, asked.action, asked.entity)
                )
        except (LookupError, ConnectionError) as error:
            raise CommandError(str(error.args[0] if error.args else error)) from error

    def matrix(target: Target) -> Document:
        with report_mistakes():
            return asyncio.run(matrix_document(find(target)))

    return PolicyTasks(explain=explain, matrix=matrix)


def _refuse_absent_file(application: Application, entity: str) -> None:
    """Raise `CommandError` when the database of *entity* is a file that does not exist: to open it would create it."""
    resource, slash, _ = entity.partition("/")
    if not slash or resource not in application.declarations:
        return
    name = application.declarations[resource].database
    if absent := check_sqlite_file(name, application.settings().databases[name].url.get_secret_value()):
        raise CommandError(absent.message)
