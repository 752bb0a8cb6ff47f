"""ETags, and what callers make depend on them (RFC 9110 sections 8.8 and 13)."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi_easy.application import Context, GetEntity, UseCases
from fastapi_easy.application.idempotency.fingerprint import refuse_idempotency_key
from fastapi_easy.domain import Failure, Key, Outcome, Stale, Success

T = TypeVar("T")

_ONE_VERSION: Final = (
    "Needs If-Match with one strong ETag, or none: a retry could not tell the version that was meant"
)

_TAG: Final = re.compile(rb'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The entity tags in one header.

    Attributes:
        any: The header is `*`.

        strong: Those that name one exact version.

        weak: Those that were marked as weak.
    """

    any: bool = False
    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()


def etag(version: str) -> bytes:
    """Return the strong entity tag for *version*."""
    return b'"' + version.encode("ascii") + b'"'


def read_tags(header: bytes) -> EntityTags:
    """Return the tags in *header*. Anything but a list of tags is taken as one without quotes, which many forget."""
    if header.strip() == b"*":
        return EntityTags(any=True)
    strong: list[str] = []
    weak: list[str] = []
    position = 0
    while position < len(header):
        found = _TAG.match(header, position)
        if found is None:
            return EntityTags(strong=tuple(each.strip().decode("latin-1") for each in header.split(b",")))
        (weak if found[1] else strong).append(found[2].decode("latin-1"))
        position = found.end()
    return EntityTags(strong=tuple(strong), weak=tuple(weak))


def not_modified(header: bytes | None, version: str) -> bool:
    """Return whether the caller has *version* already, by weak comparison."""
    if header is None:
        return False
    if header == b'"' + version.encode("ascii") + b'"':
        return True
    tags = read_tags(header)
    return tags.any or version in tags.strong or version in tags.weak


async def expected_version(
    headers: dict[bytes, bytes], key: Key, use_cases: UseCases, context: Context
) -> Outcome[str | None]:
    """Return the version that a change must be based on; `None` for any.

    One strong tag is passed on as it is. Whatever else a caller may say is compared with the entity as it is now, and
    the version found is what the change is based on, so that nothing slips in between.

    Fails with:
        Stale: The entity has none of the versions in If-Match, or one of those in If-None-Match.

        Invalid: There is an idempotency key, and the headers say another thing once the change is made.
    """
    if_match, if_none_match = headers.get(b"if-match"), headers.get(b"if-none-match")
    if if_match is None and if_none_match is None:
        return Success(None)
    wanted = None if if_match is None else read_tags(if_match)
    unwanted = None if if_none_match is None else read_tags(if_none_match)
    if unwanted is None and wanted is not None and len(wanted.strong) == 1 and not wanted.weak:
        return Success(wanted.strong[0])
    if context.idempotency_key is not None:
        return refuse_idempotency_key(_ONE_VERSION)
    found = await use_cases.get(GetEntity(key), context)
    if isinstance(found, Failure):
        return found
    current = use_cases.resource.version_of(found.unwrap())
    stale = wanted is not None and not wanted.any and current not in wanted.strong
    if stale or (unwanted is not None and (unwanted.any or current in (*unwanted.strong, *unwanted.weak))):
        return Failure(Stale(use_cases.resource.name, key, current))
    return Success(current)


async def change_deleted(
    headers: dict[bytes, bytes], change: Callable[[str | None], Awaitable[Outcome[T]]]
) -> Outcome[T]:
    """Run *change* with the version that a deleted entity must have, `None` for any, and return its outcome.

    A deleted entity cannot be read. Of several versions in If-Match the one it has is found out by trying.

    Fails with: what *change* fails with, among that:
        Stale: The entity has none of the versions in If-Match.
    """
    wanted = EntityTags(any=True) if b"if-match" not in headers else read_tags(headers[b"if-match"])
    if wanted.any:
        return await change(None)
    if b"idempotency-key" in headers and (len(wanted.strong) != 1 or wanted.weak):
        return refuse_idempotency_key(_ONE_VERSION)
    # Weak tags match nothing here (RFC 9110 section 13.1.1), as nothing has the empty version.
    done = await change(wanted.strong[0] if wanted.strong else "")
    if isinstance(done, Failure):
        error = done.failure()
        if isinstance(error, Stale) and error.current in wanted.strong[1:]:
            return await change(error.current)
    return done
