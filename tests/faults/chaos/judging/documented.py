"""The answers that the documentation knows, and which of them a run may see."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.chaos.judging.history import Answer, Kind, Request

PAGE: Final = Path(__file__).parents[4] / "docs" / "reference" / "errors.md"
_ROW: Final = re.compile(
    r"^\|(?: `\w+` \|)? `(?P<code>\w+)` \| (?P<status>\d{3}) \|(?: (?P<retry>yes|no) \|)?"
)

NEVER_RIGHT: Final = frozenset(
    {
        *("invalid", "bad_query", "unauthenticated", "forbidden", "already_exists", "reference_broken"),
        *("check_failed", "unreadable_entity", "position_expired", "precondition_required", "too_large"),
        *("idempotency_mismatch", "already_handled", "rate_limited", "unsupported", "migration_stopped"),
        *("malformed_body", "bad_preference", "malformed_query", "method_not_allowed", "not_acceptable"),
        *("headers_too_large", "too_many_headers", "query_too_long", "csrf_failed", "unsupported_media_type"),
        *("too_many_failures", "internal_error"),
    }
)
"""Codes that say that the request was wrong, or the program: no client of a run has sent such a request."""

_SUCCESSES: Final[Mapping[Kind, int]] = {
    Kind.CREATE: 201,
    Kind.BULK: 200,
    Kind.PATCH: 200,
    Kind.DELETE: 204,
    Kind.INCREMENT: 200,
    Kind.GET: 200,
    Kind.LIST: 200,
}


@dataclass(frozen=True, slots=True)
class Documented:
    """One kind of answer."""

    code: str
    status: int
    is_retried: bool


def documented(page: Path = PAGE) -> Mapping[str, frozenset[Documented]]:
    """The problems that *page* lists, by their codes."""
    found: dict[str, frozenset[Documented]] = {}
    for each in _rows(page.read_text()):
        found[each.code] = found.get(each.code, frozenset()) | {each}
    return found


def _rows(text: str) -> Iterator[Documented]:
    for line in text.splitlines():
        row = _ROW.match(line)
        if row is not None:
            yield Documented(row["code"], int(row["status"]), row["retry"] == "yes")


def objection(request: Request, answer: Answer, known: Mapping[str, frozenset[Documented]]) -> str | None:
    """What is wrong with the form of *answer* to *request*, or `None`."""
    if answer.status is None:
        return None
    if answer.is_success:
        wanted = _SUCCESSES[request.kind]
        return None if answer.status == wanted else f"the status of success is {wanted}"
    if answer.code in NEVER_RIGHT:
        return "nothing was wrong with the request"
    rows = [each for each in known.get(answer.code, ()) if each.status == answer.status]
    if not rows:
        return f"{answer.status} {answer.code or 'without a code'} is not documented"
    if not any(each.is_retried == answer.retry_after for each in rows):
        return "Retry-After is documented" if not answer.retry_after else "Retry-After is not documented"
    return None
