"""The base of handlers that change entities: begin a unit of work, change, commit."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.caller_unit_of_work import CallerUnitOfWork
from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.granted_writes import UNDECIDED, GrantedWrites
from fastapi_easy.application.changes.rule_checking_repository import has_merges
from fastapi_easy.application.changes.work.commit import Commit, commit_if_successful
from fastapi_easy.application.changes.work.units_of_work import UnitsOfWork
from fastapi_easy.application.changes.writes import Write
from fastapi_easy.application.collaborators import Collaborators, ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.idempotency.fingerprint import (
    call_id,
    check_idempotency_key,
    fingerprint,
    refuse_idempotency_key,
)
from fastapi_easy.application.idempotency.idempotency import CAPABILITY, Complete, KeyedChange
from fastapi_easy.application.idempotency.replayed_answers import show_replayed
from fastapi_easy.application.idempotency.stored_answers import StoredAnswers
from fastapi_easy.application.receipt import Receipt
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Outcome, Unsupported
from fastapi_easy.domain.ports.idempotency_store import KeyedCall
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.domain.resources.options import Operation

T = TypeVar("T")


class ChangeHandler(ResourceHandler):
    """A handler that changes entities of its resource in a unit of work."""

    def __init__(self, collaborators: Collaborators) -> None:
        super().__init__(collaborators)
        # Decided here, and not for each call: most resources have neither rules nor documents.
        self._only_sets = self._resource.rules is None and not self._resource.mergeable
        self._stored_answers = StoredAnswers(self._resource)
        resource, make_unit = self._resource, collaborators.unit_of_work
        # What a test puts in place of the unit of work is used for every change.
        self._single_writes = (
            make_unit.single_writes(resource, collaborators.repository)
            if type(make_unit) is UnitsOfWork
            else None
        )
        self._with_key_only = (
            frozenset({Operation.CREATE, Operation.BULK, *(resource.actions or {})})
            if resource.requires_idempotency_key
            else None
        )

    def _new_unit_of_work(self, access: Access) -> CallerUnitOfWork:
        """Return a new unit of work with the permissions of *access*."""
        made = self._collaborators.unit_of_work()
        if type(made) is CallerUnitOfWork:
            return made.bind_access(access)
        return CallerUnitOfWork(
            access.context, inner=innermost(made), ports=self._collaborators.ports, access=access
        )

    def _is_single_update(self, patch: Values) -> bool:
        """Return whether to set *patch* is one call of the store, and needs nothing of what is stored."""
        if self._only_sets:
            return True
        return self._resource.rules is None and not has_merges(self._resource, patch)

    async def _run_in_unit_of_work(
        self,
        change: Callable[[EntityWriter], Awaitable[Outcome[T]]],
        command: object,
        context: Context,
        action: str,
        *,
        single: Write | None = None,
    ) -> Outcome[T]:
        """Run *change* in a unit of work of its own, commit unless it failed, and return its outcome.

        Args:
            change: The change to make.

            command: What the caller asked for.

            context: The context of the call.

            action: The name of the operation.

            single: What it is where it is one call of one repository, which may then commit by itself.

        Fails with:
            Forbidden: The caller may not do *action*.

        With an idempotency key also: what `Idempotency.make_once` fails with.
        """
        access = await self._enter(context, action)
        if not isinstance(access, Access):
            return access
        if context.idempotency_key is not None and context.dry_run is None:

            async def make(work: CallerUnitOfWork, commit: Commit) -> Outcome[T]:
                entities = work.repository(self._resource)
                return await commit(work, await change(EntityWriter(self._resource, entities, access)))

            return await self._make_once(make, command, access, action)
        if self._with_key_only is not None and (refused := self._require_key(context, action)) is not None:
            return refused
        if (
            single is not None
            and self._single_writes is not None
            and context.dry_run is None
            and (alone := self._single_writes.repository_for(single)) is not None
        ):
            entities: Any = GrantedWrites(self._resource, alone, access) if access.is_limited else alone
            done = await change(EntityWriter(self._resource, entities, access))
            if done is not UNDECIDED:
                return done
        async with self._new_unit_of_work(access) as work:
            entities = work.repository(self._resource, last=single is not None)
            return await commit_if_successful(
                work, await change(EntityWriter(self._resource, entities, access))
            )

    async def _make_in_unit_of_work(
        self,
        make: Callable[[CallerUnitOfWork, Commit], Awaitable[Outcome[T]]],
        command: object,
        access: Access,
        action: str,
    ) -> Outcome[T]:
        """Make a change, as `_run_in_unit_of_work` does, that decides itself whether it is committed.

        Args:
            make: Makes the change in a unit of work, and commits it with what it is given.

            command: What the caller asked for.

            access: The permissions of the caller.

            action: The name of the operation or action.
        """
        if access.context.idempotency_key is not None and access.context.dry_run is None:
            return await self._make_once(make, command, access, action)
        if (
            self._with_key_only is not None
            and (refused := self._require_key(access.context, action)) is not None
        ):
            return refused
        async with self._new_unit_of_work(access) as work:
            return await make(work, commit_if_successful)

    def _require_key(self, context: Context, action: str) -> Failure[Error] | None:
        """Return an `Invalid` failure when *action* may not be performed without an idempotency key."""
        if action not in (self._with_key_only or ()) or context.dry_run is not None:
            return None
        return refuse_idempotency_key("Is required here, so that a retry does not make the change again")

    async def _make_once(
        self,
        make: Callable[[CallerUnitOfWork, Commit], Awaitable[Outcome[T]]],
        command: object,
        access: Access,
        action: str,
    ) -> Outcome[T]:
        """Make a change in a unit of work of its own, or return what it was answered under its idempotency key before.

        Args:
            make: Makes the change, and ends with the commit that it is given.

            command: What the caller asked for.

            access: The permissions of the caller, in whose context there is a key.

            action: The name of the operation or action.

        Fails with: what `Idempotency.make_once` fails with; for a message, what `_make_for_message` does.
        """
        context, resource = access.context, self._resource
        if context.receipt is not None:
            return await self._make_for_message(make, access, context.receipt)
        key = context.idempotency_key or ""
        if (refused := check_idempotency_key(key)) is not None:
            return refused
        idempotency = self._collaborators.idempotency
        if idempotency is None:
            return Failure(Unsupported(resource.name, CAPABILITY))

        async def make_and_complete(work: CallerUnitOfWork, complete: Complete) -> Outcome[T]:
            async def complete_and_commit(work: UnitOfWork, done: Outcome[Any]) -> Outcome[Any]:
                if isinstance(done, Failure):
                    return done
                completed = await complete(work, done.unwrap())
                return completed if isinstance(completed, Failure) else await commit_if_successful(work, done)

            return await make(work, complete_and_commit)

        def show(answer: Any) -> Any:
            if context.replay is not None:
                context.replay.is_replayed = True
            return show_replayed(answer, resource, access, self._collaborators.ports.resources.values())

        call = KeyedCall(
            id=call_id(context),
            key=key,
            resource=resource,
            action=str(action),
            fingerprint=context.fingerprint or fingerprint(key, resource.name, action, command),
            expires_at=idempotency.expires_at,
        )
        return await idempotency.make_once(
            KeyedChange(
                call=call,
                database=resource.database,
                answers=self._stored_answers,
                open_work=lambda: self._new_unit_of_work(access),
                make=make_and_complete,
                show=show,
            )
        )

    async def _make_for_message(
        self,
        make: Callable[[CallerUnitOfWork, Commit], Awaitable[Outcome[T]]],
        access: Access,
        receipt: Receipt,
    ) -> Outcome[T]:
        """Make a change in a unit of work in which *receipt* is noted first, so that both are durable or neither is.

        Fails with: what `Receipt.accept_in` and *make* fail with.
        """
        async with self._new_unit_of_work(access) as work:
            refused = await receipt.accept_in(work)
            return refused if refused is not None else await make(work, commit_if_successful)
