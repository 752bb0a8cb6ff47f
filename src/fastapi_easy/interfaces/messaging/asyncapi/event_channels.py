"""Resources → the channels of their events."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import pydantic
from pydantic import PlainSerializer, TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict

from fastapi_easy.domain import Field, Kind, Resource
from fastapi_easy.domain.outbox.cloud_event import CONTENT_TYPE
from fastapi_easy.domain.outbox.envelope import Envelope
from fastapi_easy.interfaces.formats.output_types import output_type
from fastapi_easy.interfaces.messaging.asyncapi.documented_channel import Document, DocumentedChannel

_REFERENCE: Final = "#/components/schemas/{model}"
_WITH_VALUES: Final = frozenset({"created", "updated", "restored"})
_WITH_BEFORE: Final = frozenset({"updated", "deleted", "purged"})
_SENTENCES: Final = {
    "created": "An entity was stored for the first time.",
    "updated": "An entity was changed.",
    "deleted": "An entity was removed.",
    "restored": "A deleted entity was restored.",
    "purged": "A deleted entity was removed for good.",
}

_typed_dict: Any = TypedDict  # mypy wants literals


def event_channels(resources: Iterable[Resource[Any]], envelope: Envelope) -> list[DocumentedChannel]:
    """Return a channel for each kind of event that *resources* publish.

    Args:
        resources: Those without events publish nothing.

        envelope: The form in which events leave.
    """
    return [channel for resource in resources for channel in _channels_of(resource, envelope)]


def _channels_of(resource: Resource[Any], envelope: Envelope) -> Iterator[DocumentedChannel]:
    events = resource.events
    if events is None:
        return
    prefix = "".join(word.capitalize() for word in resource.name.split("_"))
    schemas = _value_schemas(resource, prefix, envelope)
    for verb in events.verbs:
        if verb in {"restored", "purged"} and resource.soft_delete is None:
            continue
        message = f"{prefix}{verb.capitalize()}"
        yield DocumentedChannel(
            address=envelope.topic_of(resource.name, verb),
            action="send",
            message=message,
            summary=_SENTENCES[verb],
            content_type=CONTENT_TYPE,
            payload={"$ref": _REFERENCE.format(model=message)},
            schemas={**schemas, message: _event_schema(resource, verb, prefix, envelope)},
            correlation="$message.payload#/correlationid",
        )


def _event_schema(resource: Resource[Any], verb: str, prefix: str, envelope: Envelope) -> Document:
    return {
        "type": "object",
        "title": f"{prefix}{verb.capitalize()}",
        "description": f"{_SENTENCES[verb]} A CloudEvent 1.0 in JSON.",
        "required": ["specversion", "id", "source", "type", "time", "subject", "data", "sequence"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid"},
            "source": {"const": envelope.source},
            "type": {"const": f"{resource.name}.{verb}"},
            "subject": {"type": "string", "description": "The key, as text."},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "tenant": {"type": "string", "description": "Absent where there are no tenants."},
            "actor": {"type": "string", "description": "Who made the change; absent when anonymous."},
            "correlationid": {"type": "string"},
            "traceparent": {"type": "string"},
            "sequence": {
                "type": "string",
                "pattern": "^[0-9]{20}$",
                "description": "Ascends with the changes of one entity.",
            },
            "data": _data_schema(resource, verb, prefix, envelope),
        },
    }


def _data_schema(resource: Resource[Any], verb: str, prefix: str, envelope: Envelope) -> Document:
    values = {"$ref": _REFERENCE.format(model=prefix)}
    properties: Document = {"key": {"$ref": _REFERENCE.format(model=f"{prefix}Key")}}
    required = ["key"]
    if verb in _WITH_VALUES:
        properties["values"] = values
        required.append("values")
        if resource.version is not None:
            properties["version"] = {"type": "string", "description": "Of the entity, after the change."}
    if verb == "updated":
        published = envelope.fields.get(resource.name, frozenset())
        properties["changed"] = {
            "type": "array",
            "items": {"enum": [name for name in resource.readable if name in published]},
            "description": "The fields that were set.",
        }
    if verb in _WITH_BEFORE and resource.events is not None and resource.events.before:
        properties["before"] = values
    return {"type": "object", "required": required, "properties": properties}


def _value_schemas(resource: Resource[Any], prefix: str, envelope: Envelope) -> dict[str, Document]:
    """Return the schemas of keys and values, and what these refer to, by name."""
    published = envelope.fields.get(resource.name, frozenset())
    fields = {
        name: Annotated[_event_type(field), pydantic.Field(description=field.description)]
        for name in resource.readable
        if name in published
        for field in (resource.fields[name],)
    }
    keys = [_event_type(resource.fields[name]) for name in resource.key]
    generated, rest = TypeAdapter.json_schemas(
        [
            ("values", "serialization", TypeAdapter(_typed_dict(prefix, fields))),
            *(
                (name, "serialization", TypeAdapter(each))
                for name, each in zip(resource.key, keys, strict=True)
            ),
        ],
        ref_template=_REFERENCE,
    )
    parts = [generated[name, "serialization"] for name in resource.key]
    schemas: dict[str, Document] = dict(rest.get("$defs", {}))
    whole = generated["values", "serialization"]
    if whole.get("$ref") != _REFERENCE.format(model=prefix):
        schemas[prefix] = whole
    if len(parts) == 1:
        schemas[f"{prefix}Key"] = parts[0]
    else:
        several = len(parts)
        schemas[f"{prefix}Key"] = {"type": "array", "items": parts, "minItems": several, "maxItems": several}
    return schemas


def _event_type(field: Field) -> Any:
    """Return the type of *field* in an event, which differs from that in an answer for durations alone."""
    if field.kind is not Kind.DURATION:
        return output_type(field)
    whole: Any = Annotated[
        field.python_type,
        PlainSerializer(int, return_type=int),
        WithJsonSchema({"type": "integer", "description": "Microseconds."}),
    ]
    return whole | None if field.nullable else whole
