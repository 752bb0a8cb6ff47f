"""HTTP → what commands are made of: contexts, keys, the pairs of a query string. All raise `ProblemError`."""

from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi_easy.application import Context, DryRun, Replay
from fastapi_easy.application.idempotency.fingerprint import check_idempotency_key
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.domain import BadQuery, Fault, Invalid, Key
from fastapi_easy.interfaces.http.exchange import Exchange, ProblemError, problem_error, unwrap_or_raise
from fastapi_easy.interfaces.http.request_problems import QUERY_NOT_UTF_8, query_too_long

IGNORED_PARAMETERS: Final = "fastapi_easy.ignored_parameters"
"""Where a scope keeps the names of parameters that are for somebody else, such as a dependency, and not read here."""

_ZERO: Final = ord("0")

Pairs: TypeAlias = list[tuple[str, str]]


def read_context(exchange: Exchange, dry_run: DryRun | None = None) -> Context:
    """Return the context of a call: the caller, its identifiers, and whether it is a dry run."""
    given = exchange.headers.get(b"idempotency-key")
    text = None if given is None else given.decode("latin-1")
    if text is not None:
        if (refused := check_idempotency_key(text)) is not None:
            raise problem_error(refused.failure())
        exchange.replay = Replay()
    principal = exchange.principal
    client = exchange.scope.get("client")
    return Context(
        principal=principal,
        tenant=principal.tenant,
        correlation_id=exchange.correlation_id,
        address="" if client is None else client[0],
        idempotency_key=text,
        replay=exchange.replay,
        rate=exchange.rate,
        dry_run=dry_run,
    )


def read_key(segment: bytes, queries: QueryReader) -> Key:
    """Return the key that the percent-encoded path *segment* spells."""
    if (
        len(segment) <= queries.plain_digits
        and segment.isdigit()
        and (segment[0] != _ZERO or len(segment) == 1)
    ):
        return int(segment)
    try:
        text = (unquote_to_bytes(segment) if b"%" in segment else segment).decode("utf-8")
    except UnicodeDecodeError:
        raise problem_error(Invalid((Fault("", "Must be UTF-8", "string_unicode", "path"),))) from None
    if "\x00" in text:
        raise problem_error(Invalid((Fault("", "Must not contain NUL", "string_unicode", "path"),)))
    return unwrap_or_raise(queries.read_key(text))


def read_pairs(exchange: Exchange, limit: int) -> Pairs:
    """Names and values in the query string, in their order; at most *limit* bytes of it."""
    query_string: bytes = exchange.scope["query_string"]
    if not query_string:
        return []
    if len(query_string) > limit:
        raise ProblemError(query_too_long(limit))
    try:
        if b"%" not in query_string and b"+" not in query_string:
            parts = query_string.decode("utf-8").split("&")
            pairs = [(name, value) for part in parts if part for name, _, value in (part.partition("="),)]
        else:
            pairs = [
                (_decoded(name), _decoded(value))
                for part in query_string.split(b"&")
                if part
                for name, _, value in (part.partition(b"="),)
            ]
    except UnicodeDecodeError:
        raise ProblemError(QUERY_NOT_UTF_8) from None
    ignored = exchange.scope.get(IGNORED_PARAMETERS)
    return pairs if ignored is None else [pair for pair in pairs if pair[0] not in ignored]


def ignored_pairs(exchange: Exchange) -> Pairs:
    """Return what `read_pairs` left out of a query string that it has read."""
    ignored = exchange.scope.get(IGNORED_PARAMETERS)
    if ignored is None:
        return []
    query_string: bytes = exchange.scope["query_string"]
    pairs = parse_qsl(query_string.decode("utf-8"), keep_blank_values=True)
    return [pair for pair in pairs if pair[0] in ignored]


def reject_other_parameters(pairs: Pairs, *allowed: str) -> None:
    """Refuse every name that is not *allowed*, rather than ignore it."""
    for name, _ in pairs:
        if name not in allowed:
            reason = (
                f"Only {', '.join(allowed)} can be given here"
                if allowed
                else "No parameter can be given here"
            )
            raise problem_error(BadQuery(name[:64], reason, allowed[0] if len(allowed) == 1 else None))


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
