"""The problems that only HTTP knows: about the request as such, before there is a command."""

from typing import Final

from fastapi_easy.domain import Fault
from fastapi_easy.interfaces.http.problems import Problem, ascii_json, problem_members

NO_SUCH_PATH: Final = Problem(404, "not_found", "Nothing is served at this path.")

INTERNAL_ERROR: Final = Problem(500, "internal_error", "Internal error; it has been logged.")

TOO_SLOW: Final = Problem(
    408, "request_timeout", "The body did not arrive in time.", ((b"connection", b"close"),)
)

HEAD_TOO_SLOW: Final = Problem(408, "request_timeout", "The headers did not arrive in time.")

ENDING: Final = Problem(
    503,
    "outcome_unknown",
    "The server ended before the answer was there: what was asked may or may not have been done.",
    ((b"retry-after", b"1"),),
)

CSRF_HEADER: Final = "X-CSRF-Token"
"""The header in which scripts send the token of their session."""

OTHER_SITE: Final = Problem(403, "csrf_failed", "The request was sent by a page of another site.")

NO_CSRF_TOKEN: Final = Problem(
    403, "csrf_failed", f"Send the token of this session in {CSRF_HEADER}; GET the session to read it."
)

WRONG_CHARSET: Final = Problem(415, "unsupported_media_type", "The charset must be utf-8.")

BAD_PREFERENCE: Final = Problem(
    400,
    "bad_preference",
    "Prefer: tx must be rollback or commit; nothing was changed.",
    faults=(Fault("/prefer", "Must say either tx=rollback or tx=commit", "bad_preference", "header"),),
)

QUERY_NOT_UTF_8: Final = Problem(400, "malformed_query", "The query string is not valid UTF-8.")


def query_too_long(limit: int) -> Problem:
    """Return the problem of a query string with more than *limit* bytes."""
    detail = f"The query string is longer than {limit} bytes; use POST …/search for long queries."
    return Problem(414, "query_too_long", detail.replace("…", ""), members={"limit": limit})


def too_many_headers(limit: int) -> Problem:
    """Return the problem of a request with more than *limit* headers."""
    return Problem(
        431, "too_many_headers", f"The request has more than {limit} headers.", members={"limit": limit}
    )


def headers_too_large(limit: int) -> Problem:
    """Return the problem of a request whose line and headers have more than *limit* bytes."""
    detail = f"The request line and the headers are longer than {limit} bytes."
    return Problem(431, "headers_too_large", detail, members={"limit": limit})


def method_not_allowed(allow: bytes) -> Problem:
    """Return the problem of a path that is served with the methods in *allow* only."""
    detail = f"This path is served with {allow.decode('ascii')} only."
    return Problem(405, "method_not_allowed", detail, ((b"allow", allow),))


def unsupported_media_type(*allowed: str) -> Problem:
    """Return the problem of a body whose media type is none of *allowed*."""
    return Problem(415, "unsupported_media_type", f"The Content-Type must be {' or '.join(allowed)}.")


def unsupported_content_coding(*understood: str) -> Problem:
    """Return the problem of a body that is compressed in another way than one of *understood* (RFC 9110 12.5.3)."""
    accepted = ((b"accept-encoding", ", ".join(understood).encode("ascii")),)
    detail = f"The Content-Encoding must be {' or '.join(understood)}, and only one."
    return Problem(415, "unsupported_media_type", detail, accepted)


def not_acceptable(*offered: str) -> Problem:
    """Return the problem of a caller who accepts none of the media types *offered*."""
    return Problem(
        406, "not_acceptable", f"The answer can be {' or '.join(offered)}; Accept allows none of that."
    )


def too_many_failures(limit: int) -> Problem:
    """Return the problem of an import of which more than *limit* lines failed."""
    detail = f"More than {limit} lines failed. Lines before next_line were processed; continue from there."
    return Problem(422, "too_many_failures", detail)


def rendered_for_server(problem: Problem) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
    """Return *problem* as status, headers and body, for a server that answers without the application."""
    body = ascii_json(problem_members(problem))
    headers = (
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"connection", b"close"),
        *problem.headers,
    )
    return problem.status, headers, body


def malformed_body(detail: str) -> Problem:
    """Return the problem of a body that cannot be parsed; *detail* says why."""
    return Problem(400, "malformed_body", detail)
