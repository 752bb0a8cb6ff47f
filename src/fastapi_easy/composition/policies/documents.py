"""Answers to questions about the policy of an application, as plain documents."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from returns.result import Failure, Success

from fastapi_easy.application.policies.explain_access import Explanation
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.lifespans import opened_resources
from fastapi_easy.composition.policies.questions import explain_access, policy_matrix
from fastapi_easy.domain.errors import Key, NotFound
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.principal import Principal, Tenant

__all__ = ["explanation_document", "matrix_document"]


async def explanation_document(
    application: Application, caller: Principal, tenant: Tenant | None, action: str, target: str
) -> Mapping[str, Any]:
    """Return why *caller* may perform *action*, or may not.

    Args:
        application: Its database is opened, and not migrated, when *target* names an entity.

        caller: Who would call.

        tenant: The partition to work in; that of *caller* unless given.

        action: The action.

        target: A resource, or an entity as paths name it: `books/7`.

    Raises:
        LookupError: There is no such resource, action or entity, or what is stored is not what is declared; the message
            says which.

        ConnectionError: The database does not answer.
    """
    name, slash, segment = target.partition("/")
    key: Key = None
    if slash and name in application.declarations:
        read = application.kernel().use_cases(name).queries.read_key(unquote(segment))
        if isinstance(read, Failure):
            raise LookupError(f"{segment!r} is not a key of {name}")
        key = read.unwrap()
    async with _opened_for(application, name if key is not None else None):
        answer = await explain_access(application, caller, action, name, key, tenant)
    match answer:
        case Failure(NotFound()):
            raise LookupError(f"there is no {target}")
        case Failure(error):
            raise ConnectionError(f"{target} cannot be read: {error}")
        case Success(explanation):
            return _document(explanation, segment)


def _document(explanation: Explanation, segment: str) -> Mapping[str, Any]:
    return {
        "resource": explanation.resource,
        "action": explanation.action,
        "key": segment or None,
        "decision": explanation.decision.value,
        "decided_by": list(explanation.deciding),
        "rows": explanation.rows,
        "readable": list(explanation.readable),
        "writable": list(explanation.writable),
        "stamps": {field: str(value) for field, value in explanation.stamps.items()},
        "rules": [dataclasses.asdict(each) for each in explanation.rules],
    }


async def matrix_document(application: Application) -> Mapping[str, Any]:
    """Return who may do what with the resources of *application*."""
    async with _opened_for(application, None):
        matrix = await policy_matrix(application)
    return {
        "columns": list(matrix.columns),
        "unlisted": list(matrix.unlisted),
        "rows": [
            {
                "resource": row.resource,
                "action": row.action,
                "cells": {
                    column: None if cell is None else {"summary": str(cell), **dataclasses.asdict(cell)}
                    for column, cell in row.cells.items()
                },
            }
            for row in matrix.rows
        ],
    }


@asynccontextmanager
async def _opened_for(application: Application, resource: str | None) -> AsyncIterator[None]:
    """Open what policies of a user's own may need, and the database of *resource*."""
    database: Database | None = None
    if resource is not None:
        database = application.databases.providers[application.declarations[resource].database]()
    try:
        if database is not None:
            await database.open()
            await _check_stored(application, database, str(resource))
        async with opened_resources(application):
            yield
    finally:
        if database is not None:
            await database.close()


async def _check_stored(application: Application, database: Database, resource: str) -> None:
    """Check that *resource* can be read as it is stored."""
    declared: Any = application.providers[resource]
    compared = await database.prepare([declared.resource()], SchemaMode.CHECK)
    if isinstance(compared, Failure):
        raise ConnectionError(f"database {database.name!r} does not answer")
    if differences := compared.unwrap():
        raise LookupError(f"{differences[0]}: see fastapi-easy migrate plan")
