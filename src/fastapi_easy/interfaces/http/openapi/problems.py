"""The problems in OpenAPI: one schema, and a response for each status."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.problems import TITLES

CORRELATION: Final = {"X-Correlation-ID": {"$ref": "#/components/headers/X-Correlation-ID"}}

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
                    "in": {"enum": ["body", "query", "path", "header"]},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
        "correlation_id": {"type": "string"},
    },
}

_RESPONSE_MEMBERS: Final = frozenset({"instance", "correlation_id"})

NESTED_PROBLEM: Final[Document] = {
    "type": "object",
    "required": [each for each in PROBLEM["required"] if each not in _RESPONSE_MEMBERS],
    "properties": {
        name: each for name, each in PROBLEM["properties"].items() if name not in _RESPONSE_MEMBERS
    },
}
"""A problem of one part of what was sent, inside another answer."""

ITEM_PROBLEM: Final[Document] = {
    **PROBLEM,
    "title": "ItemProblem",
    "description": "Why one item or line failed.",
    "required": [name for name in PROBLEM["required"] if name not in {"instance", "correlation_id"}],
    "properties": {
        name: each
        for name, each in PROBLEM["properties"].items()
        if name not in {"instance", "correlation_id"}
    },
}

_STATUS_EXAMPLES: Final[dict[int, tuple[str, str]]] = {
    400: ("bad_query", "The query or the body cannot be understood."),
    401: ("unauthenticated", "Authentication is required."),
    403: ("forbidden", "Not permitted."),
    404: ("not_found", "Not found."),
    405: ("method_not_allowed", "Method not allowed."),
    406: ("not_acceptable", "No media type that is offered is accepted."),
    408: ("request_timeout", "The body did not arrive in time."),
    409: ("already_exists", "Conflicts with another entity, or with a call that is still in progress."),
    410: ("position_expired", "The feed does not go back to this position."),
    412: ("stale", "The entity has changed meanwhile."),
    413: ("too_large", "Larger than the limit."),
    414: ("query_too_long", "The query string is too long."),
    415: ("unsupported_media_type", "Not a media type that is read here."),
    422: ("invalid", "The input is invalid; errors lists each problem."),
    428: ("precondition_required", "If-Match with the version the change is based on is required."),
    429: ("rate_limited", "Too many requests."),
    500: ("internal_error", "An internal error."),
    501: ("unsupported", "The store cannot do this."),
    503: ("unavailable", "A dependency did not answer."),
    504: ("deadline_exceeded", "It took too long; nothing was changed."),
}
_EXTRA: Final[dict[int, str]] = {
    401: "WWW-Authenticate",
    405: "Allow",
    412: "ETag",
    429: "Retry-After",
    503: "Retry-After",
}


def problem_responses(statuses: Iterable[int]) -> Document:
    """Return a reference to the shared response of each status, in ascending order."""
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(statuses)}


def shared_responses() -> Document:
    """Return the shared response of each status, by the name of its component."""
    return {f"Problem{status}": _response(status) for status in _STATUS_EXAMPLES}


def _response(status: int) -> Document:
    code, description = _STATUS_EXAMPLES[status]
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
    extra = _EXTRA.get(status)
    headers = {**CORRELATION, **({extra: {"$ref": f"#/components/headers/{extra}"}} if extra else {})}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": f"{HTTPStatus(status).phrase}. {description}",
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
