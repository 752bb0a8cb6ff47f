"""What callers meet of resources whose fields they call otherwise than programs do."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from fastapi_easy.application import BulkAnswer, Context, Handler, ImportReport, UseCases
from fastapi_easy.application.changes.bulk_changes import AllSucceeded
from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.domain import (
    AlreadyExists,
    CheckFailed,
    Error,
    Failure,
    Fault,
    Forbidden,
    Invalid,
    Operation,
    Outcome,
    ReferenceBroken,
    Resource,
    Success,
)
from fastapi_easy.domain.values.json import join_pointer

_WITH_FIELD_ERRORS: Final = (
    Operation.CREATE,
    Operation.REPLACE,
    Operation.UPDATE,
    Operation.UPSERT,
    Operation.RESTORE,
    Operation.LIST,
    Operation.EXPORT,
    Operation.CHANGES,
    Operation.HISTORY,
)
"""Operations whose errors name fields, except those that answer with an outcome for each of many entities."""


def with_external_names(resource: Resource[Any]) -> Resource[Any]:
    """Return *resource* for its documentation: its fields and related ones are called as callers call them."""
    every = list(_reachable_resources(resource, set()))
    return _rename_fields(resource, {}) if any(each.naming.alias_by_name for each in every) else resource


def with_translated_errors(use_cases: UseCases) -> UseCases:
    """Let failures of *use_cases* call fields as callers do; those of `validate` do so already."""
    resource = use_cases.resource
    if not any(each.naming.alias_by_name for each in _reachable_resources(resource, set())):
        return use_cases
    # As of a time, `get` says which field is not recorded.
    more = (Operation.GET,) if Operation.HISTORY in resource.operations else ()
    definitions = [OPERATIONS[operation] for operation in (*_WITH_FIELD_ERRORS, *more)]
    translated: dict[str, Any] = {
        each.attribute: _translate_errors(each.select(use_cases), resource) for each in definitions
    }
    return replace(
        use_cases,
        **translated,
        bulk=_translate_bulk_errors(use_cases.bulk, resource),
        import_=_translate_import_errors(use_cases.import_, resource),
        # What an action calls invalid is a field of its own.
        actions={
            name: _translate_errors(each, resource, own_faults=True)
            for name, each in use_cases.actions.items()
        },
    )


def _reachable_resources(resource: Resource[Any], seen: set[str]) -> Iterator[Resource[Any]]:
    if resource.name in seen:
        return
    seen.add(resource.name)
    yield resource
    for relation in resource.relations.values():
        yield from _reachable_resources(relation.target, seen)


def _rename_fields(resource: Resource[Any], known: dict[str, Resource[Any]]) -> Resource[Any]:
    if resource.name in known:
        return known[resource.name]
    out = resource.naming.alias_of
    lists = (
        "key",
        "readable",
        "writable",
        "changeable",
        "restorable",
        "filterable",
        "sortable",
        "searchable",
        "upsert_by",
    )
    called: dict[str, Any] = {each: tuple(map(out, getattr(resource, each))) for each in lists}
    called["fields"] = {
        out(name): replace(each, name=out(name), alias=None) for name, each in resource.fields.items()
    }
    renamed = known[resource.name] = replace(resource, relations={}, **called)
    for name, relation in resource.relations.items():
        renamed.relations[name] = replace(
            relation, source=renamed, target=_rename_fields(relation.target, known)
        )
    return renamed


def _translate_errors(
    handler: Handler[Any, Any], resource: Resource[Any], *, own_faults: bool = False
) -> Handler[Any, Any]:
    async def translated(command: object, context: Context, /) -> Outcome[Any]:
        outcome = await handler(command, context)
        if not isinstance(outcome, Failure) or (own_faults and isinstance(outcome.failure(), Invalid)):
            return outcome
        return Failure(_translate_error(outcome.failure(), resource))

    return translated


def _translate_bulk_errors(
    handler: Handler[Any, BulkAnswer], resource: Resource[Any]
) -> Handler[Any, BulkAnswer]:
    async def translated(command: object, context: Context, /) -> Outcome[BulkAnswer]:
        answered = await handler(command, context)
        if isinstance(answered, Failure):
            return answered
        answer = answered.unwrap()
        if isinstance(answer.outcomes, AllSucceeded):
            return answered
        outcomes = [
            Failure(_translate_error(each.failure(), resource)) if isinstance(each, Failure) else each
            for each in answer.outcomes
        ]
        return Success(replace(answer, outcomes=outcomes))

    return translated


def _translate_import_errors(
    handler: Handler[Any, ImportReport], resource: Resource[Any]
) -> Handler[Any, ImportReport]:
    async def translated(command: object, context: Context, /) -> Outcome[ImportReport]:
        reported = await handler(command, context)
        if not isinstance(reported, Failure):
            report = reported.unwrap()
            report.failed = [(number, _translate_error(error, resource)) for number, error in report.failed]
        return reported

    return translated


def _translate_error(error: Error, resource: Resource[Any]) -> Error:
    """Return *error* with the fields of *resource* as callers call them."""
    match error:
        case AlreadyExists(_, fields) | ReferenceBroken(_, fields) | CheckFailed(fields=fields):
            whose = next(
                (each for each in _reachable_resources(resource, set()) if each.name == error.resource),
                resource,
            )
            return replace(error, fields=tuple(map(whose.naming.alias_of, fields)))
        case Invalid(faults):
            return Invalid(tuple(_translate_fault(fault, resource) for fault in faults))
        case Forbidden(field=str(path)):
            return replace(error, field=_translate_path(path, resource))
        case _:
            return error


def _translate_fault(fault: Fault, resource: Resource[Any]) -> Fault:
    name, slash, rest = fault.pointer[1:].partition("/")
    word = resource.naming.alias_by_name.get(name)
    if word is None or fault.code == "extra_forbidden":
        # What is no field here is called as the caller called it.
        return fault
    return replace(fault, pointer=f"{join_pointer('', word)}{slash}{rest}")


def _translate_path(path: str, resource: Resource[Any]) -> str:
    """Return a field at the end of relations, like `author.born_on`, as callers call it."""
    *relations, field = path.split(".")
    for relation in relations:
        resource = resource.relations[relation].target
    return ".".join((*relations, resource.naming.alias_of(field)))
