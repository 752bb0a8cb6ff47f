"""The audit trail of an application: what is written into it, and what is read of people."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.entries.change_entries import (
    action_of,
    capped,
    changed_values,
)
from fastapi_easy.application.audit.entries.personal_values import PersonalValues, place_of, subject_of
from fastapi_easy.domain.audit.entry import SECURITY_STREAM, AuditEntry
from fastapi_easy.domain.audit.recorded import plain_key, recorded_fields
from fastapi_easy.domain.audit.sealing import Sealer
from fastapi_easy.domain.audit.streams import DEFAULT_STREAMS, stream_of_change, stream_of_tenant
from fastapi_easy.domain.changes.events import (
    DomainEvent,
    EntityCreated,
    EntityDeleted,
    EntityPurged,
    EntityRestored,
    EntityUpdated,
)
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.history.history_limits import DEFAULT_LIMITS, HistoryLimits
from fastapi_easy.domain.ports.audit_sink import AuditSink
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.principal import Tenant
from fastapi_easy.domain.resources.resource import Resource

SUBJECT_ERASED: Final = "audit.subject.erased"
"""The action of the entry that tells of an erased subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """Implements `AuditRecorder` and `AuditReader`: writes the audit trail of one application, and reads it.

    Attributes:
        resources: Every resource, by name.

        sinks: Where the trail of each database is, by the name of the database.

        security: The name of the database whose trail has what belongs to no change.

        sealer: Seals entries with the current key.

        mac_keys: Every key by its id, for those who verify.

        clock: Dates entries that tell of no event.

        streams: Chains that what belongs to no tenant is spread over.

        personal: Encrypts values about people; `None` where no resource has any.

        trace: Returns the id of the current trace; empty where nothing is traced.

        history: How much one question about the past may read.
    """

    resources: Mapping[str, Resource[Any]]
    sinks: Mapping[str, AuditSink]
    security: str
    sealer: Sealer
    mac_keys: Mapping[str, bytes] = field(repr=False)
    clock: Clock
    streams: int = DEFAULT_STREAMS
    personal: PersonalValues | None = None
    trace: Callable[[], str] = str
    history: HistoryLimits = DEFAULT_LIMITS
    _fields: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Decide at start what is recorded of each resource."""
        audited = {
            name: recorded_fields(each) for name, each in self.resources.items() if each.audit is not None
        }
        object.__setattr__(self, "_fields", audited)

    async def record_in(self, work: UnitOfWork, events: Iterable[DomainEvent]) -> Outcome[None]:
        """Record what *events* tell of audited resources, in the transaction of *work*.

        To be called last before the commit: whoever changes what belongs to the same chain waits until that.

        Fails with:
            Unavailable: The trail cannot be written, and so nothing else may be.
        """
        told = [each for each in events if each.resource in self._fields]
        if not told:
            return Success(None)
        # A unit of work is in one database.
        sink = self.sinks[self.resources[told[0].resource].database]
        changes = [changed_values(each, self._fields[each.resource]) for each in told]
        if self.personal is not None:
            encrypted = await self._encrypt(self.personal, sink, work, told, changes)
            if isinstance(encrypted, Failure):
                return encrypted
        trace = self.trace()
        entries = [self._entry(event, each, trace) for event, each in zip(told, changes, strict=True)]
        return await sink.append_in(work, entries, self.sealer.seal)

    async def append(self, entries: Sequence[AuditEntry], database: str | None = None) -> Outcome[None]:
        """Append *entries* in a transaction of their own, to the trail of *database*, or to that of the security."""
        return await self.sinks[database or self.security].append(entries, self.sealer.seal)

    def entry(self, action: str, **details: Any) -> AuditEntry:
        """Return an entry about *action*, now, for the stream `security` unless *details* name another one."""
        given = {
            "stream": SECURITY_STREAM,
            "occurred_at": self.clock.now(),
            "trace_id": self.trace(),
            **details,
        }
        return AuditEntry(action=action, **given)

    def stream_of_read(self, resource: str, key: Any, tenant: Tenant | None) -> str:
        """Return the stream of a read: of an entity that of its changes, else one of the resource's."""
        if tenant is not None:
            return stream_of_tenant(tenant)
        return stream_of_change(resource, key, None, self.streams)

    def pseudonym(self, text: str) -> str:
        """Return 32 hexadecimal digits that stand for *text*, from which nobody without the key can tell what it is."""
        key = hmac.digest(self.sealer.key, b"fastapi_easy audit pseudonym 1", hashlib.sha256)
        return hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256).hex()[:32]

    async def erase(self, subject: str, *, actor: str = "", reason: str = "") -> Outcome[bool]:
        """Make what the trail holds about *subject* unreadable for ever, in every database, and record that.

        Args:
            subject: Like `customers/7`: see `personal_values.subject_of`.

            actor: Who asked for it.

            reason: For people; no personal data.

        Returns:
            Whether there was anything about the subject.

        Fails with:
            Unavailable: A database does not answer. It may be done for others already; asking again does no harm.
        """
        if self.personal is None:
            return Success(False)
        had_any = False
        tokens = self.personal.tokens(subject)
        for database, sink in self.sinks.items():
            for token in tokens:
                erased = await sink.erase_subject(token)
                if isinstance(erased, Failure):
                    return erased
                had_any = had_any or erased.unwrap()
            entry = self.entry(
                SUBJECT_ERASED,
                actor=actor,
                changes={"subject": tokens[0], **({"reason": reason} if reason else {})},
            )
            appended = await self.append([entry], database)
            if isinstance(appended, Failure):
                return appended
        return Success(had_any)

    async def reveal(self, entries: Sequence[AuditEntry], database: str) -> Outcome[Sequence[AuditEntry]]:
        """Return *entries* of the trail of *database* with the values about people that were not erased."""
        if self.personal is None:
            return Success(entries)
        revealed = await self.personal.reveal(self.sinks[database], entries)
        if isinstance(revealed, Failure):
            return revealed
        pairs = zip(entries, revealed.unwrap(), strict=True)
        return Success([replace(each, changes=changes) for each, changes in pairs])

    def _entry(self, event: DomainEvent, changes: Mapping[str, Any], trace: str) -> AuditEntry:
        key = plain_key(event.key)
        return AuditEntry(
            stream=stream_of_change(event.resource, key, event.tenant, self.streams),
            occurred_at=event.occurred_at,
            actor=event.actor,
            by_system=event.by_system,
            action=action_of(event),
            resource=event.resource,
            key=key,
            tenant=event.tenant,
            correlation_id=event.correlation_id,
            trace_id=trace,
            changes=capped(changes),
        )

    async def _encrypt(
        self,
        personal: PersonalValues,
        sink: AuditSink,
        work: UnitOfWork,
        events: Sequence[DomainEvent],
        changes: Sequence[dict[str, list[Any]]],
    ) -> Outcome[None]:
        """Encrypt in *changes* what is about people."""
        about = [
            self._subjects(event) if each else (None, None)
            for event, each in zip(events, changes, strict=True)
        ]
        subjects = {each for pair in about for each in pair if each is not None}
        if not subjects:
            return Success(None)
        found = await personal.keys_for(sink, work, subjects)
        if isinstance(found, Failure):
            return found
        keys = found.unwrap()
        for event, each, pair in zip(events, changes, about, strict=True):
            key = plain_key(event.key)
            for name in self._personal_fields(event.resource):
                if name in each:
                    place = place_of(event.resource, key, name)
                    each[name] = [
                        personal.encrypt(value, keys.get(subject or ""), place)
                        for value, subject in zip(each[name], pair, strict=True)
                    ]
        return Success(None)

    def _personal_fields(self, resource: str) -> Sequence[str]:
        audit = self.resources[resource].audit
        return () if audit is None else audit.personal

    def _subjects(self, event: DomainEvent) -> tuple[str | None, str | None]:
        """Return whom the values before and after the change of *event* are about."""
        resource = self.resources[event.resource]
        if not self._personal_fields(event.resource):
            return None, None
        before: Mapping[str, Any] | None = None
        after: Mapping[str, Any] | None = None
        match event:
            case EntityCreated() | EntityRestored():
                after = event.values
            case EntityUpdated():
                before, after = event.before, event.values
            case EntityDeleted() | EntityPurged():
                before = event.before
            case _:
                pass
        key = plain_key(event.key)
        return (
            None if before is None else subject_of(resource, before, key),
            None if after is None else subject_of(resource, after, key),
        )
