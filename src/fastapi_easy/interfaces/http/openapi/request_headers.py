"""The request headers of changes and reads, each written once for all operations."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.interfaces.http.openapi.documents import Document


def _header(name: str, description: str, schema: Document | None = None, **more: Any) -> Document:
    schema = {"type": "string"} if schema is None else schema
    return {"name": name, "in": "header", "description": description, "schema": schema, **more}


_IF_MATCH: Final = _header(
    "If-Match",
    "The ETag of the version the change is based on; 412 when it is not the current one.",
    example="*",
)
_IDEMPOTENCY_KEY: Final = _header(
    "Idempotency-Key",
    "A new one for each change, and the same in each retry of it: the change is made once, and every retry gets the "
    "first answer.",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
)

REQUEST_HEADERS: Final[Mapping[str, Document]] = {
    "IfMatch": _IF_MATCH,
    "IfMatchRequired": {**_IF_MATCH, "required": True},
    "IfNoneMatch": _header(
        "If-None-Match", "The ETag of the version at hand; 304 when it is the current one."
    ),
    "IdempotencyKey": _IDEMPOTENCY_KEY,
    "IdempotencyKeyRequired": {**_IDEMPOTENCY_KEY, "required": True},
    "Prefer": _header(
        "Prefer",
        "`return=minimal` for an answer without the entity; `tx=rollback` for a dry run, which does everything except "
        "commit the change; or both, separated by a comma.",
    ),
    "PreferOfImports": _header(
        "Prefer",
        "`tx=rollback` for a dry run, in which every line is validated and written, then rolled back.",
        example="tx=rollback",
    ),
}
"""By the name of their component."""


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/parameters/{name}"}


IF_MATCH: Final = _reference("IfMatch")
IF_MATCH_REQUIRED: Final = _reference("IfMatchRequired")
IF_NONE_MATCH: Final = _reference("IfNoneMatch")
IDEMPOTENCY_KEY: Final = _reference("IdempotencyKey")
IDEMPOTENCY_KEY_REQUIRED: Final = _reference("IdempotencyKeyRequired")
PREFER: Final = _reference("Prefer")
PREFER_OF_IMPORTS: Final = _reference("PreferOfImports")
