"""What OpenAPI says of the routes of sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.application.authentication.sessions.log_in import MAX_PASSWORD, MAX_USERNAME
from fastapi_easy.interfaces.http.openapi.problems import PROBLEM

_MOMENT: Final = {"type": "string", "format": "date-time"}

_SESSION: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Session",
    "required": ["principal", "opened_at", "expires_at", "csrf_token"],
    "properties": {
        "principal": {
            "type": "object",
            "required": ["id", "roles", "tenant"],
            "properties": {
                "id": {"type": "string"},
                "roles": {"type": "array", "items": {"type": "string"}},
                "tenant": {"type": ["string", "null"]},
            },
        },
        "opened_at": _MOMENT,
        "expires_at": {**_MOMENT, "description": "When it ends unless there is another call."},
        "csrf_token": {
            "type": "string",
            "description": "For X-CSRF-Token of requests that change something.",
        },
    },
}

LOG_IN_BODY: Final[Mapping[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "title": "LogIn",
                "required": ["username", "password"],
                "additionalProperties": False,
                "properties": {
                    "username": {"type": "string", "minLength": 1, "maxLength": MAX_USERNAME},
                    "password": {
                        "type": "string",
                        "format": "password",
                        "minLength": 1,
                        "maxLength": MAX_PASSWORD,
                    },
                },
            }
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDocument:
    """What a route does and answers.

    Attributes:
        summary: A line for people.

        status: Of its success.

        success: What that means.

        problems: What other statuses mean.
    """

    summary: str
    status: int
    success: str
    problems: Mapping[int, str]

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """Return the responses as FastAPI takes them."""
        content = {} if self.status == 204 else {"content": {"application/json": {"schema": _SESSION}}}  # noqa: PLR2004 (No Content)
        problem = {"content": {"application/problem+json": {"schema": PROBLEM}}}
        return {
            self.status: {"description": self.success, **content},
            **{status: {"description": meaning, **problem} for status, meaning in self.problems.items()},
        }


_FORGED: Final = "The request was sent by a page of another site, or without the token of the session."

ANSWERS: Final[Mapping[str, RouteDocument]] = {
    "log_in": RouteDocument(
        summary="Log in",
        status=201,
        success="A session was opened; the answer sets its cookies.",
        problems={
            400: "The body is not JSON.",
            401: "The username or the password is wrong.",
            403: "The request was sent by a page of another site.",
            415: "The body is not application/json.",
            422: "A member is missing, too long or unknown.",
            429: "There were too many attempts; Retry-After says when to try again.",
        },
    ),
    "get_session": RouteDocument(
        summary="Who has logged in",
        status=200,
        success="The session of this browser.",
        problems={401: "Nobody has logged in, or the session is over."},
    ),
    "log_out": RouteDocument(
        summary="Log out",
        status=204,
        success="The session is closed; the answer clears its cookies.",
        problems={403: _FORGED},
    ),
}
"""By the names of the routes."""
