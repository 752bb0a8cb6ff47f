"""The problems in OpenAPI: one schema, and a response for each status."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.problems import TITLES

HEADERS: Final[Document] = {
    "X-Correlation-ID": {
        "description": "The correlation id of this request, as in the logs.",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "The version of the entity, for If-Match.", "schema": {"type": "string"}},
    "Location": {"description": "The path of the new entity.", "schema": {"type": "string"}},
    "Link": {"description": "The next and the first page (RFC 8288).", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "The preference that was applied.", "schema": {"type": "string"}},
    "Withheld-Events": {
        "description": "The events that a dry run did not publish, in their order.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true`: the answer is that of an earlier call with the same Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 9110 11.6.1).",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {"description": "A name for a file.", "schema": {"type": "string"}},
    "Accept-Encoding": {
        "description": "The Content-Encodings that are understood, where that of the body is not.",
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods of this path.", "schema": {"type": "string"}},
}

PROBLEM: Final[Document] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request failed (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "errors", "correlation_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Where this type of problem is explained.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {"type": "string", "description": "A stable machine-readable code."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "in", "message", "code"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON Pointer (RFC 6901) into what `in` says.",
                    },
                    "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
        "correlation_id": {"type": "string"},
    },
}

_RESPONSE_MEMBERS: Final = frozenset({"instance", "correlation_id"})

ITEM_PROBLEM: Final[Document] = {
    **PROBLEM,
    "title": "ItemProblem",
    "description": "Why one item or line failed.",
    "required": [name for name in PROBLEM["required"] if name not in _RESPONSE_MEMBERS],
    "properties": {
        name: each for name, each in PROBLEM["properties"].items() if name not in _RESPONSE_MEMBERS
    },
}

_REFUSALS: Final = frozenset({401, 403})
_NAMED: Final = frozenset({404, 409, 410, 412, 422, 428, 429})
"""The statuses that programs tell apart; the others are documented together, as the default."""

_STATUS_EXAMPLES: Final[dict[int, tuple[str, str]]] = {
    401: ("unauthenticated", "Authentication is required."),
    403: ("forbidden", "Not permitted."),
    404: ("not_found", "Not found."),
    409: ("already_exists", "Conflicts with another entity, or with a call that is still in progress."),
    410: ("position_expired", "The feed does not go back to this position."),
    412: ("stale", "The entity has changed meanwhile."),
    422: ("invalid", "The input is invalid; errors lists each problem."),
    428: ("precondition_required", "If-Match with the version the change is based on is required."),
    429: ("rate_limited", "Too many requests."),
}
_EXTRA: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    412: ("ETag",),
    429: ("Retry-After",),
    503: ("Accept-Encoding", "Allow", "Retry-After"),
}
_REFERENCES: Final[dict[str, Document]] = {
    **{
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in sorted(_NAMED | _REFUSALS)
    },
    "default": {"$ref": "#/components/responses/Problem"},
}


def documented_status(status: int) -> str:
    """Return under what the *status* of a problem is documented: itself, or the default of the operation."""
    return str(status) if status in _NAMED else "default"


def problem_responses(statuses: Iterable[int]) -> Document:
    """Return a reference to the shared response of each status, in ascending order, the default last."""
    return {status: _REFERENCES[status] for status in sorted({documented_status(each) for each in statuses})}


def refusal_responses() -> Document:
    """Return references to the shared responses to callers who are not known, or may not do what they ask for."""
    return {str(status): _REFERENCES[str(status)] for status in sorted(_REFUSALS)}


def shared_responses() -> Document:
    """Return the shared responses by the names of their components."""
    named = {f"Problem{status}": _response(status, *about) for status, about in _STATUS_EXAMPLES.items()}
    return {**named, "Problem": _response(503, "unavailable", "Any other problem; its code says which.")}


def _response(status: int, code: str, description: str) -> Document:
    example = {
        "type": f"/problems/{code}",
        "title": TITLES[code],
        "status": status,
        "detail": description,
        "instance": "/",
        "code": code,
        "errors": [],
        "correlation_id": "5f0c7c0d9f9b4f0f8a7d2f4b3c1e6a90",
    }
    extra = ("X-Correlation-ID", *_EXTRA.get(status, ()))
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description
        if status not in _STATUS_EXAMPLES
        else f"{HTTPStatus(status).phrase}. {description}",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in extra},
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
