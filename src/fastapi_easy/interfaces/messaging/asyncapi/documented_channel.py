"""A channel as AsyncAPI describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedChannel:
    """Messages of one kind that an application sends or receives.

    Attributes:
        address: The topic.

        action: What the application does.

        message: The name of the message, unique in the document: letters, digits, `.`, `-` and `_`.

        summary: One sentence.

        content_type: The media type of its content.

        payload: The JSON Schema of its content.

        schemas: Schemas that *payload* refers to as `#/components/schemas/…`, by name.

        correlation: Where a message says which others it belongs to: `$message.payload#/correlationid`.

        properties: Further members of the operation, like `x-…`.
    """

    address: str
    action: Literal["send", "receive"]
    message: str
    summary: str
    content_type: str
    payload: Document
    schemas: Mapping[str, Document] = field(default_factory=dict)
    correlation: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
