"""A unit of work as one caller sees it, in which every write is recorded."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from returns.result import Failure, Success

from fastapi_easy.application.access import Access, resolve_access
from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.changes.caller_repository import CallerRepository
from fastapi_easy.application.changes.generations.raising_repository import RaisingRepository
from fastapi_easy.application.changes.recorder import Recorder
from fastapi_easy.application.changes.rule_checking_repository import RuleCheckingRepository
from fastapi_easy.application.context import NOBODY, Context
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.current_tenant import enter_tenant
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import CommitGuard, UnitOfWork
from fastapi_easy.domain.resources.resource import Resource


class CallerUnitOfWork:
    """Implements `UnitOfWork`: *inner*, with what the caller may do, and with a record of what was done.

    Args:
        context: The context of the call; anonymous unless given.

        inner: The unit of work of a store.

        ports: The ports that it uses.

        access: The permissions of the caller, if they are resolved already.

        recorder: The recorder to share with another unit of work; a new one unless given.
    """

    __slots__ = ("_access", "_ports", "_recorder", "context", "inner")

    def __init__(
        self,
        context: Context = NOBODY,
        *,
        inner: UnitOfWork,
        ports: ApplicationPorts,
        access: Access | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.context = context
        self.inner = inner
        self._ports = ports
        self._access = access
        self._recorder = recorder or Recorder(inner, ports, context)

    def bind_access(self, access: Access) -> Self:
        """Bind this unit of work, which has not been entered yet, to the caller of *access*; return it."""
        self.context = self._recorder.context = access.context
        self._access = access
        return self

    async def __aenter__(self) -> Self:
        """Resolve the caller's permissions, then begin."""
        if self._access is None:
            self._access = await resolve_access(self._ports, self.context)
            if self._ports.has_tenants:
                enter_tenant(self.context.tenant)
        _ = await self.inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what was not committed and give back the connection."""
        if self._recorder.has_pending:
            self._recorder.clear()
        await self.inner.__aexit__(kind, error, traceback)

    def repository(self, resource: Resource[object] | str, *, last: bool = False) -> Repository[Any]:
        """Return the caller's view of the entities of *resource*, inside this unit of work."""
        declared = self._declared(resource) if isinstance(resource, str) else resource
        access = self._access
        if access is None:
            raise RuntimeError("enter a unit of work before asking it for a repository: async with … as work")
        cached = self._ports.cached
        raises = cached is not None and declared.name in cached.raised
        # A write that commits by itself cannot be undone in a dry run, nor does it raise a generation or write to the
        # audit trail. It joins a transaction where the caller may turn out to be unable to see the entity afterwards.
        is_single_write = last and not raises and declared.audit is None and self.context.dry_run is None
        inner = self.inner.repository(declared, last=is_single_write)
        if declared.rules is not None or (declared.mergeable and not is_single_write):
            inner = RuleCheckingRepository(declared, inner)
        kind = RaisingRepository if raises else CallerRepository
        return kind(declared, inner, self, access, self._recorder, is_single_write=is_single_write)

    def entities(self, resource: Resource[object] | str) -> EntityRepository[Any]:
        """Return the caller's view of the entities of *resource* as instances of the user's class."""
        declared = self._declared(resource) if isinstance(resource, str) else resource
        # Grants and events of create and update differ, so `save` must know which of the two it is.
        return EntityRepository(declared, self.repository(declared), reads_before_saving=True)

    def as_system(self) -> UnitOfWork:
        """Return this unit of work without the caller's limits, in all tenants; what it creates must say in which."""
        return CallerUnitOfWork(
            self.context,
            inner=self.inner,
            ports=self._ports,
            access=Access(self.context),
            recorder=self._recorder.for_system(),
        )

    def bind(self, lease: CommitGuard) -> None:
        """Commit only while *lease* is held, from now on."""
        self.inner.bind(lease)

    def record(self, event: DomainEvent) -> None:
        """Publish *event* if and when this unit of work commits; forget it otherwise."""
        self._recorder.record([event])

    def record_all(self, events: Sequence[DomainEvent]) -> None:
        """Publish *events*, as `record` does each."""
        self._recorder.record(events)

    @property
    def events(self) -> Sequence[DomainEvent]:
        """The events recorded since the last commit; changes that nobody observes produce none."""
        return self.inner.events

    async def keep(self, rows: Sequence[JournalRow]) -> Outcome[None]:
        """Write *rows* into the system's own tables."""
        return await self.inner.keep(rows)

    async def commit(self) -> Outcome[None]:
        """Commit every write together with its journal rows, then publish the recorded events.

        In a dry run only collect the events that would have been published.
        """
        if self.context.dry_run is not None:
            self.context.dry_run.events.extend(self.inner.events)
            return Success(None)
        self._recorder.reject_unfinished_changes()
        # Again while the journal's table was made, a change of another task may have ended.
        while self._recorder.has_pending:
            written = await self._recorder.write()
            if isinstance(written, Failure):
                return written
        return await self.inner.commit()

    def _declared(self, name: str) -> Resource[object]:
        try:
            return self._ports.resources[name]
        except KeyError:
            raise DeclarationError(
                [f"{name!r} is not a resource of this application; declare it in the container"]
            ) from None
