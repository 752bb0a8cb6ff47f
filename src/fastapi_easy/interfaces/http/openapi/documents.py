"""The types of what is written into an OpenAPI document."""

from collections.abc import Sequence
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object: an operation, a schema, a parameter, a response."""

OperationDetails: TypeAlias = tuple[Document, Sequence[Document]]
"""Members that one operation alone has, and a response for each of its statuses of success."""
