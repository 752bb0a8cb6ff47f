"""The responses of success that all resources share, and what every response has."""

from collections.abc import Mapping
from typing import Final

from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.problems import HEADERS
from fastapi_easy.interfaces.http.operations.export_endpoint import CSV, NDJSON

CHANGE_HEADERS: Final = ("Preference-Applied", "Withheld-Events", "Idempotent-Replayed")
"""What the response to a change may have."""

_HEADERS: Final[Mapping[str, Document]] = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}


def headers(*names: str) -> Document:
    """Return references to the headers called *names*.

    The one that every response has, `X-Correlation-ID`, is documented where it is asked for: with problems.
    """
    return {name: _HEADERS[name] for name in names}


def json_response(description: str, schema: Document, *names: str) -> Document:
    """Return a response with a JSON body of *schema*, and the headers called *names*."""
    return {
        "description": description,
        **({"headers": headers(*names)} if names else {}),
        "content": {"application/json": {"schema": schema}},
    }


RESPONSES: Final[Mapping[str, Document]] = {
    "Changed": {"description": "Changed.", "headers": headers("ETag", *CHANGE_HEADERS)},
    "Deleted": {"description": "Deleted.", "headers": headers(*CHANGE_HEADERS)},
    "Done": {"description": "Done.", "headers": headers("ETag", *CHANGE_HEADERS)},
    "NotModified": {"description": "Not modified.", "headers": headers("ETag")},
    "Counted": json_response(
        "How many there are.",
        {
            "type": "object",
            "required": ["count"],
            "properties": {"count": {"type": "integer", "minimum": 0}},
        },
    ),
    "Exported": {
        "description": "Every entity, sent while they are read. A response that is cut off has no final chunk.",
        "headers": headers("Content-Disposition"),
        "content": {
            NDJSON: {"schema": {"$ref": "#/components/schemas/Lines"}},
            CSV: {"schema": {"$ref": "#/components/schemas/Records"}},
        },
    },
    "Imported": json_response(
        "What became of the lines; 200 when every one was taken in, 207 when some failed.",
        {"$ref": "#/components/schemas/ImportReport"},
        "Preference-Applied",
    ),
}
"""By the names of their components."""

CHANGED: Final[Document] = {"$ref": "#/components/responses/Changed"}
COUNTED: Final[Document] = {"$ref": "#/components/responses/Counted"}
DELETED: Final[Document] = {"$ref": "#/components/responses/Deleted"}
DONE: Final[Document] = {"$ref": "#/components/responses/Done"}
NOT_MODIFIED: Final[Document] = {"$ref": "#/components/responses/NotModified"}
EXPORTED: Final[Document] = {"$ref": "#/components/responses/Exported"}
IMPORTED: Final[Document] = {"$ref": "#/components/responses/Imported"}
