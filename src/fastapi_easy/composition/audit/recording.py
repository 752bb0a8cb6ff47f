"""What records reads and what happens to the security of an application, and its lifespan."""

import hashlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.audit.recording.reads import ReadLog, record_reads
from fastapi_easy.application.audit.recording.refusals import record_refusals
from fastapi_easy.application.audit.recording.security_events import record_eviction, record_security_events
from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.policies.documents import matrix_document
from fastapi_easy.composition.policies.effective_policy import current_policy
from fastapi_easy.domain.audit.entry import SECURITY_STREAM
from fastapi_easy.domain.audit.sealing import key_column, open_entry
from fastapi_easy.domain.errors import DeclarationError, Key, Unauthenticated
from fastapi_easy.domain.locks.lease import Eviction
from fastapi_easy.domain.ports import CredentialPlace, Database, EvictionHook
from fastapi_easy.domain.resources.resource import Resource

__all__ = [
    "both_hooks",
    "opened_recording",
    "operated_breaker",
    "prepare_audit",
    "recording_steps",
    "refused_credentials",
    "subscribed",
]

_logger: Final = logging.getLogger("fastapi_easy.audit")

AUTHENTICATION_REFUSED: Final = "authentication.refused"
"""The action of the entry that tells of credentials that do not count."""

POLICY_CHANGED: Final = "policy.changed"
"""The action of the entry that says that the policy is another one since the last start."""

POLICY: Final = "policy"
"""The resource and the key of those entries."""

_POLICY_KEY: Final = key_column(POLICY) or ""

_PAGE: Final = 1000


def recording_steps(
    application: Application, reads: ReadLog, security: SecurityLog, *_: object
) -> tuple[Step, ...]:
    """Return the steps that record reads and refusals, the outermost first."""

    async def find_hidden(resource: Resource[Any], key: Key) -> bool:
        parts: Any = application.providers[resource.name]
        found = await parts.repository().read(key)
        return not isinstance(found, Failure)

    sees_all = current_policy(application) is None and all(
        each.tenant is None for each in application.every_resource()
    )
    return record_reads(reads), record_refusals(security, None if sees_all else find_hidden)


def both_hooks(own: EvictionHook | None, security: SecurityLog) -> EvictionHook:
    """Return a hook that records evictions, and tells the user's *own*."""

    async def hook(evicted: Eviction) -> None:
        await record_eviction(security, evicted)
        if own is not None:
            await own(evicted)

    return hook


def refused_credentials(application: Application) -> Callable[[CredentialPlace, str, str], Awaitable[None]]:
    """Return what records credentials that do not count."""

    async def refused(place: CredentialPlace, address: str, correlation_id: str) -> None:
        await application.audit_security().refuse(
            AUTHENTICATION_REFUSED,
            address=address,
            outcome=Unauthenticated.code,
            correlation_id=correlation_id,
            changes={"credentials": place.name.lower()},
        )

    return refused


def operated_breaker(application: Application) -> Callable[[str, str], None]:
    """Return what records that an operator has isolated or reset a circuit breaker."""

    def operated(database: str, action: str) -> None:
        application.audit_security().add(f"breaker.{action}", changes={"breaker": database})

    return operated


async def prepare_audit(application: Application, database: Database) -> None:
    """Make *database* ready for an audit trail, where changes in it are audited.

    Raises:
        DeclarationError: It cannot hold one, or lets too much be changed where the settings are strict.

        ConnectionError: It does not answer.
    """
    sink = application.audit_trail().sinks.get(database.name)
    if sink is None:
        return
    require_none(database, answer(database, await sink.prepare()))
    weaknesses = answer(database, await sink.find_weaknesses())
    if weaknesses and application.settings().audit.strict:
        raise DeclarationError([f"database {database.name!r}: {each}" for each in weaknesses])
    for each in weaknesses:
        _logger.warning("database %r: %s", database.name, each)


@asynccontextmanager
async def opened_recording(application: Application) -> AsyncIterator[None]:
    """Record what happens while the block runs; write at its end what is left."""
    security = application.audit_security()
    async with application.audit_reads().opened(), security.opened():
        with subscribed(application):
            await _record_policy(application, security)
            yield


@contextmanager
def subscribed(application: Application) -> Iterator[None]:
    """Record events of the application, unless that is done already."""
    if application.is_recording:
        yield
        return
    end = record_security_events(
        application.audit_security(), application.audit_trail(), application.event_bus()
    )
    application.is_recording = True
    try:
        yield
    finally:
        application.is_recording = False
        end()


async def _record_policy(application: Application, security: SecurityLog) -> None:
    """Record that the policy differs from what was recorded last."""
    if current_policy(application) is None:
        return
    matrix = await matrix_document(application)
    fingerprint = hashlib.sha256(json.dumps(matrix, sort_keys=True, default=str).encode()).hexdigest()
    trail = application.audit_trail()
    database = application.databases.providers[trail.security]()
    before = await _last_fingerprint(trail, database)
    if before != fingerprint:
        details = {"fingerprint": fingerprint, "before": before}
        await security.note(POLICY_CHANGED, resource=POLICY, key=POLICY, changes=details)


async def _last_fingerprint(trail: AuditTrail, database: Database) -> str | None:
    sink, after, found = trail.sinks[trail.security], None, None
    while True:
        entries = answer(database, await sink.find(POLICY, [_POLICY_KEY], after=after, limit=_PAGE))
        for each in entries:
            if each.sealed.stream == SECURITY_STREAM and each.sealed.body is not None:
                found = open_entry(each.sealed.body).entry.changes.get("fingerprint")
        if len(entries) < _PAGE:
            return found
        after = entries[-1].sealed.stream, entries[-1].sealed.seq
