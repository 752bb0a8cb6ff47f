"""The problems in OpenAPI: one schema, and a response for each status."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from fastapi_easy.interfaces.http.problems import TITLES

CORRELATION: Final = {"X-Correlation-ID": {"$ref": "#/components/headers/X-Correlation-ID"}}

HEADERS: Final[dict[str, Any]] = {
    "X-Correlation-ID": {"description": "The name of this request, for logs.", "schema": {"type": "string"}},
    "ETag": {"description": "The version of the entity, for If-Match.", "schema": {"type": "string"}},
    "Location": {"description": "The path of the new entity.", "schema": {"type": "string"}},
    "Link": {"description": "The next and the first page (RFC 8288).", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "The preference that was followed.", "schema": {"type": "string"}},
    "Withheld-Events": {
        "description": "The events that a dry run did not publish, in their order.",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "Allow": {"description": "The methods of this path.", "schema": {"type": "string"}},
}

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was not answered as asked (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "errors", "correlation_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where this kind is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {"type": "string", "description": "The kind, for programs."},
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

_OF_AN_ANSWER: Final = frozenset({"instance", "correlation_id"})

INNER_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": [each for each in PROBLEM["required"] if each not in _OF_AN_ANSWER],
    "properties": {name: each for name, each in PROBLEM["properties"].items() if name not in _OF_AN_ANSWER},
}
"""A problem of one part of what was sent, inside another answer."""

ITEM_PROBLEM: Final[dict[str, Any]] = {
    **PROBLEM,
    "title": "ItemProblem",
    "description": "Why one of many was not done as asked.",
    "required": [name for name in PROBLEM["required"] if name not in {"instance", "correlation_id"}],
    "properties": {
        name: each
        for name, each in PROBLEM["properties"].items()
        if name not in {"instance", "correlation_id"}
    },
}

_KINDS: Final[dict[int, tuple[str, str]]] = {
    400: ("bad_query", "The query or the body cannot be understood."),
    401: ("unauthenticated", "Say who you are."),
    403: ("forbidden", "Not permitted."),
    404: ("not_found", "Nothing there."),
    405: ("method_not_allowed", "Served with other methods."),
    406: ("not_acceptable", "No media type that is offered is accepted."),
    408: ("request_timeout", "The body did not arrive in time."),
    409: ("already_exists", "In conflict with other entities."),
    412: ("stale", "The entity has changed meanwhile."),
    413: ("too_large", "Larger than the limit."),
    414: ("query_too_long", "The query string is too long."),
    415: ("unsupported_media_type", "Not a media type that is read here."),
    422: ("invalid", "The input has faults; errors lists them."),
    428: ("precondition_required", "Say which version the change is based on."),
    500: ("internal_error", "A defect on our side."),
    501: ("unsupported", "The store cannot do this."),
    503: ("unavailable", "A dependency did not answer."),
    504: ("deadline_exceeded", "It took too long; nothing was changed."),
}
_EXTRA: Final[dict[int, str]] = {405: "Allow", 412: "ETag", 503: "Retry-After"}


def problem_responses(statuses: Iterable[int]) -> dict[str, Any]:
    """A reference to the shared response of each status."""
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(statuses)}


def shared_responses() -> dict[str, Any]:
    """The response of each status, as components."""
    return {f"Problem{status}": _response(status) for status in _KINDS}


def _response(status: int) -> dict[str, Any]:
    code, description = _KINDS[status]
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
