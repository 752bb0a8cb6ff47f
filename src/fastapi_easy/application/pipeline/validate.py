"""The step that validates the values of every command before its use case sees them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, Self, TypeAlias, assert_never

from returns.result import Failure

from fastapi_easy.application.changes.items import (
    Change,
    Create,
    CreateStored,
    Delete,
    DeleteWhere,
    Malformed,
    Update,
    UpdateWhere,
    Upsert,
    pointer_to_values,
)
from fastapi_easy.application.context import Context
from fastapi_easy.application.idempotency.fingerprint import fingerprint
from fastapi_easy.application.pipeline.step import Handler, Target
from fastapi_easy.application.resources.apply_bulk import ApplyBulk
from fastapi_easy.application.resources.create_entity import CreateEntity
from fastapi_easy.application.resources.perform_action import PerformAction
from fastapi_easy.application.resources.replace_entity import ReplaceEntity
from fastapi_easy.application.resources.streams.import_entities import ImportEntities, ImportMode, Line
from fastapi_easy.application.resources.update_entity import UpdateEntity
from fastapi_easy.application.resources.upsert_entity import UpsertEntity
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.errors import Error, Fault, Invalid, Outcome
from fastapi_easy.domain.ports.validator import Validator
from fastapi_easy.domain.resources.options import Operation

MAX_BULK_FAULTS: Final = 200
"""Faults of a bulk that are reported at most; those of the first items come first."""

_BUILT_IN: Final = frozenset(Operation)

_Check: TypeAlias = Callable[[Validator, Any], Any | Failure[Error]]
"""Returns the command with values in the types of the store, or why they are invalid."""


def validate(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
    """Validate the values of the command before anything is done with them, be they `Json` or Python objects.

    The handler, and so whatever takes its place, sees a command whose values are checked and in the types of the
    store. Costs nothing where callers give no values.
    """
    check = _check_for(target)
    if check is None:
        return handler
    checks, validator, name = check, target.validator, target.resource.name

    # No coroutine: each one that is suspended during the call brings the next garbage collection closer.
    def validated(command: Any, context: Context, /) -> Awaitable[Outcome[Any]]:
        if context.idempotency_key is not None and context.receipt is None:
            # Now, because a default that is added next may be another one each time.
            context = replace(
                context, fingerprint=fingerprint(context.idempotency_key, name, target.action, command)
            )
        checked = checks(validator(), command)
        # `type(…) is`: `isinstance` goes through the metaclass of `returns`, and takes as long as all the rest here.
        return _fail(checked) if type(checked) is Failure else handler(checked, context)

    return validated


async def _fail(refusal: Failure[Error]) -> Outcome[Any]:
    return refusal


def _check_for(target: Target) -> _Check | None:
    name = target.action
    built_in = _built_in_check(Operation(name)) if name in _BUILT_IN else None
    if name not in (target.resource.actions or {}):
        return built_in

    def check(validator: Validator, command: Any) -> Any | Failure[Error]:
        # An action may have the name of an operation.
        if isinstance(command, PerformAction):
            action = validator.action(name, command.action)
            return action if isinstance(action, Failure) else replace(command, action=action.unwrap())
        return command if built_in is None else built_in(validator, command)

    return check


def _built_in_check(operation: Operation) -> _Check | None:
    # A match and no dict: an operation that is missing here would reach the store unchecked, so it is a type error.
    match operation:
        case Operation.CREATE | Operation.UPSERT:
            return _create
        case Operation.REPLACE:
            return _replace
        case Operation.UPDATE:
            return _update
        case Operation.BULK:
            return _bulk
        case Operation.IMPORT:
            return _import
        case (
            Operation.GET
            | Operation.LIST
            | Operation.COUNT
            | Operation.AGGREGATE
            | Operation.EXPORT
            | Operation.CHANGES
            | Operation.HISTORY
            | Operation.DELETE
            | Operation.RESTORE
            | Operation.PURGE
        ):
            return None
        case _:
            assert_never(operation)


def _create(validator: Validator, command: CreateEntity | UpsertEntity) -> Any | Failure[Error]:
    values = validator.create(command.values)
    if type(values) is Failure:
        return values
    made = type(command)
    # A constructor call takes a quarter of the time of `replace`, which remains for subclasses of the command.
    if made is CreateEntity or made is UpsertEntity:
        return made(values.unwrap())
    return replace(command, values=values.unwrap())


def _replace(validator: Validator, command: ReplaceEntity) -> Any | Failure[Error]:
    values = validator.replace(command.values)
    if not isinstance(values, Failure):
        return replace(command, values=values.unwrap())
    # Whether what was left out is missing depends on what the caller may change, which the use case knows.
    error = values.failure()
    if not isinstance(error, Invalid) or any(fault.code != "missing" for fault in error.faults):
        return values
    given = validator.update(command.values)
    if isinstance(given, Failure):
        return values
    return replace(command, values=given.unwrap(), missing=error.faults)


def _update(validator: Validator, command: UpdateEntity) -> Any | Failure[Error]:
    values = validator.update(command.patch)
    if type(values) is Failure:
        return values
    patch = Patch(values.unwrap())
    if type(command) is UpdateEntity:
        return UpdateEntity(command.key, patch, command.expected_version)
    return replace(command, patch=patch)


def _import(validator: Validator, command: ImportEntities) -> ImportEntities:
    # An upsert finds its entity by unique fields, and changes no others than `update` does.
    takes_stored = command.mode is not ImportMode.CREATE and not command.upsert
    check = validator.restore if takes_stored else validator.create
    return replace(command, lines=_CheckedLines(command.lines, check))


class _CheckedLines:
    """An iterator over *lines* that validates each with *check* when it is reached."""

    def __init__(self, lines: AsyncIterator[Line], check: Callable[[Values], Outcome[Values]]) -> None:
        self._lines = lines
        self._check = check

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Line:
        number, values = await anext(self._lines)
        return number, values if isinstance(values, Failure) else self._check(values.unwrap())


def _bulk(validator: Validator, command: ApplyBulk) -> Any | Failure[Error]:
    """Validate every item; report all bad items of an atomic bulk at once, otherwise let each fail in its place."""
    items = [_item(validator, item) for item in command.items]
    if command.atomic and any(isinstance(item, Malformed) for item in items):
        return Failure(Invalid(tuple(islice(_faults(command.items, items), MAX_BULK_FAULTS))))
    return replace(command, items=items)


def _item(validator: Validator, item: Change) -> Change:
    match item:
        case Create(given) | Upsert(given):
            values = validator.create(given)
        case CreateStored(given):
            values = validator.restore(given)
        case Update(patch=given) | UpdateWhere(patch=given):
            values = validator.update(given)
        case Delete() | DeleteWhere() | Malformed():
            return item
        case _:
            assert_never(item)
    if isinstance(values, Failure):
        return Malformed(values.failure())
    if isinstance(item, Create | CreateStored | Upsert):
        return type(item)(values.unwrap())
    return replace(item, patch=Patch(values.unwrap()))


def _faults(given: Sequence[Change], checked: Sequence[Change]) -> Iterator[Fault]:
    """Yield the faults of the malformed items of *checked*, each with the position of its item in the bulk."""
    for number, (item, found) in enumerate(zip(given, checked, strict=True)):
        if not isinstance(found, Malformed) or not isinstance(found.error, Invalid):
            continue
        # An item that was already malformed has pointers into the document that the interface was sent.
        at = "" if found is item else f"/items/{number}/{pointer_to_values(item)}"
        yield from (replace(each, pointer=f"{at}{each.pointer}") for each in found.error.faults)
