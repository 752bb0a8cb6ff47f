"""Messages → commands of the kernel: the same values as in the body of a request, validated by the same step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from fastapi_easy.application import (
    CreateEntity,
    DeleteEntity,
    PerformAction,
    PurgeEntity,
    ReplaceEntity,
    RestoreEntity,
    UpdateEntity,
    UpsertEntity,
    UseCases,
)
from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.domain import Failure, Fault, Invalid, Json, Key, Operation, Outcome, Success
from fastapi_easy.interfaces.formats.strict_json import read_json

ReadCommand: TypeAlias = Callable[[ReceivedMessage], Outcome[object]]

_MEMBERS: Final = ("key", "values", "expected_version")
_WITHOUT_SUBJECT: Final = "Must be an object with key, and values where there are some: there is no subject"


@dataclass(frozen=True, slots=True)
class MessageCommand:
    """What messages of one topic ask for.

    Attributes:
        handle: The use case, wrapped in its steps.

        read: Makes its command of a message.
    """

    handle: Handler[Any, Any]
    read: ReadCommand


@dataclass(frozen=True, slots=True)
class _Request:
    """What a message says of one entity.

    Attributes:
        key: Which one.

        document: The values; `None` when there are none.

        version: The version that it must have; `None` for any.
    """

    key: Key
    document: Any
    version: str | None


def find_command(use_cases: UseCases, name: str) -> MessageCommand | None:
    """Return the operation or action *name* of a resource as messages ask for it; `None` when they cannot.

    Operations that read, and those on many entities, have no answer that a message could carry.
    """
    resource, queries = use_cases.resource, use_cases.queries
    if name in (resource.actions or {}):
        return MessageCommand(use_cases.actions[name], _of_entity(queries, _perform))
    if name not in [str(each) for each in resource.operations]:
        return None
    operation = Operation(name)
    read = _reader(operation, queries)
    return None if read is None else MessageCommand(OPERATIONS[operation].select(use_cases), read)


def _reader(operation: Operation, queries: QueryReader) -> ReadCommand | None:
    # A match and no dict: a type checker names this function while an operation is missing from it.
    match operation:
        case Operation.CREATE:
            return lambda message: Success(CreateEntity(Json(message.data)))
        case Operation.UPSERT:
            return lambda message: Success(UpsertEntity(Json(message.data)))
        case Operation.REPLACE:
            return _of_entity(
                queries, lambda asked: ReplaceEntity(asked.key, Json(asked.document), asked.version)
            )
        case Operation.UPDATE:
            return _of_entity(
                queries, lambda asked: UpdateEntity(asked.key, Json(asked.document), asked.version)
            )
        case Operation.DELETE:
            return _of_entity(
                queries, lambda asked: DeleteEntity(asked.key, asked.version), takes_values=False
            )
        case Operation.RESTORE:
            return _of_entity(
                queries, lambda asked: RestoreEntity(asked.key, asked.version), takes_values=False
            )
        case Operation.PURGE:
            return _of_entity(
                queries, lambda asked: PurgeEntity(asked.key, asked.version), takes_values=False
            )
        case (
            Operation.GET
            | Operation.LIST
            | Operation.COUNT
            | Operation.AGGREGATE
            | Operation.EXPORT
            | Operation.IMPORT
            | Operation.BULK
            | Operation.CHANGES
            | Operation.HISTORY
        ):
            return None
        case _:
            assert_never(operation)


def _perform(asked: _Request) -> PerformAction:
    return PerformAction(asked.key, Json({} if asked.document is None else asked.document), asked.version)


def _of_entity(
    queries: QueryReader, make: Callable[[_Request], object], *, takes_values: bool = True
) -> ReadCommand:
    """Return what makes a command about one entity of a message that names it."""

    def read(message: ReceivedMessage) -> Outcome[object]:
        asked = _read_request(message, queries)
        if isinstance(asked, Failure):
            return asked
        request: _Request = asked.unwrap()
        if not takes_values and request.document not in (None, {}):
            return _refuse("", "Takes no values", "no_body")
        return Success(make(request))

    return read


def _read_request(message: ReceivedMessage, queries: QueryReader) -> Outcome[_Request]:
    """Return what *message* says of an entity: one that its subject names, or one that its data do.

    With a subject the data are the values. Without one they are `{"key": …, "values": …, "expected_version": …}`.
    """
    data = message.data
    if message.subject is not None:
        key = _read_subject(message.subject, queries)
        document, version = data, message.attributes.get("expectedversion")
    else:
        if not isinstance(data, dict) or "key" not in data:
            return _refuse("", _WITHOUT_SUBJECT, "missing")
        if unknown := [name for name in data if name not in _MEMBERS]:
            return _refuse(f"/{unknown[0]}", f"Only {', '.join(_MEMBERS)} can be given", "extra_forbidden")
        key = queries.check_key(data["key"])
        document, version = data.get("values"), data.get("expected_version")
    if isinstance(key, Failure):
        return key
    if version is not None and not isinstance(version, str):
        version = str(version)
    return Success(_Request(key.unwrap(), document, version))


def _read_subject(subject: str, queries: QueryReader) -> Outcome[Key]:
    """Return the key that *subject* spells: as in a path, or as a JSON list where it has several parts."""
    if subject.startswith("["):
        parts = read_json(subject.encode("utf-8", "replace"))
        if isinstance(parts, list) and not isinstance(checked := queries.check_key(parts), Failure):
            return checked
    return queries.read_key(subject)


def _refuse(pointer: str, message: str, code: str) -> Failure[Any]:
    return Failure(Invalid((Fault(pointer, message, code),)))
