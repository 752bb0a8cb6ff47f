"""Consumers → the channels of the messages that an application takes."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from pydantic import TypeAdapter

from fastapi_easy.application import Kernel, UseCases
from fastapi_easy.application.messaging.consumer import Consumer
from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.formats.schemas import ResourceSchemas
from fastapi_easy.interfaces.messaging.asyncapi.documented_channel import Document, DocumentedChannel

_REFERENCE: Final = "#/components/schemas/{model}"
_CONTENT_TYPE: Final = "application/json"
_ENVELOPE: Final = "Plain JSON, or the data of a CloudEvent"
_BODIES: Final[dict[str, Callable[[ResourceSchemas], Any]]] = {
    Operation.CREATE: lambda schemas: schemas.create,
    Operation.UPSERT: lambda schemas: schemas.create,
    Operation.REPLACE: lambda schemas: schemas.replace,
    Operation.UPDATE: lambda schemas: schemas.update,
}
_WITHOUT_KEY: Final = frozenset({Operation.CREATE, Operation.UPSERT})


def command_channels(kernel: Kernel, consumers: Iterable[Consumer]) -> list[DocumentedChannel]:
    """Return a channel for each topic that *consumers* listen to, what several do with it told once."""
    channels: dict[str, DocumentedChannel] = {}
    for each in consumers:
        _ = channels.setdefault(each.topic, _channel(kernel, each))
    return list(channels.values())


def _channel(kernel: Kernel, consumer: Consumer) -> DocumentedChannel:
    message = f"{_words(consumer.topic)}Message"
    payload: Document = {}
    schemas: dict[str, Document] = {}
    summary = "A message that a function of the application handles."
    if consumer.command is not None:
        resource_name, _, operation = consumer.command.rpartition(".")
        payload, schemas = _body(kernel.use_cases(resource_name), operation, message)
        summary = f"Asks for {consumer.command}. {_ENVELOPE}."
    return DocumentedChannel(
        address=consumer.topic,
        action="receive",
        message=message,
        summary=summary,
        content_type=_CONTENT_TYPE,
        payload=payload,
        schemas=schemas,
    )


def _body(use_cases: UseCases, operation: str, message: str) -> tuple[Document, dict[str, Document]]:
    """Return the schema of what a message contains that asks for *operation*, and those that it refers to."""
    name = message.removesuffix("Message")
    values = _values_of(use_cases, operation, name)
    schemas: dict[str, Document] = {}
    if values is not None:
        # The same name as a schema of the same content elsewhere in the document would be another schema there.
        schema = TypeAdapter(values).json_schema(
            mode="validation", ref_template=f"#/components/schemas/{name}.{{model}}"
        )
        schemas = {f"{name}.{each}": found for each, found in schema.pop("$defs", {}).items()}
        schemas[f"{name}Values"] = schema
    reference = {"$ref": _REFERENCE.format(model=f"{name}Values")}
    if operation in _WITHOUT_KEY:
        return reference, schemas
    members: Document = {
        "key": {"description": "Of the entity; a list where it has several parts."},
        "expected_version": {"type": "string", "description": "The version that the entity must have."},
    }
    if values is not None:
        members["values"] = reference
    required = ["key", "values"] if operation in _BODIES else ["key"]
    schemas[message] = {
        "type": "object",
        "title": message,
        "required": required,
        "properties": members,
        "additionalProperties": False,
    }
    return {"$ref": _REFERENCE.format(model=message)}, schemas


def _values_of(use_cases: UseCases, operation: str, name: str) -> Any:
    resource = use_cases.resource
    if operation in (actions := resource.actions or {}):
        return actions[operation]
    body = _BODIES.get(operation)
    return None if body is None else body(ResourceSchemas(resource, use_cases.validator, name))


def _words(topic: str) -> str:
    return "".join(
        word.capitalize() for part in topic.split(".") for word in part.replace("-", "_").split("_")
    )
