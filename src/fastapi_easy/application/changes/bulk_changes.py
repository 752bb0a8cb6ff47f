"""Many changes of one resource, atomically or each on its own."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import ClassVar, TypeVar, assert_never

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.caller_unit_of_work import CallerUnitOfWork
from fastapi_easy.application.changes.change_handler import ChangeHandler
from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.items import (
    Change,
    Create,
    CreateStored,
    Delete,
    DeleteWhere,
    Malformed,
    Update,
    UpdateWhere,
    Upsert,
)
from fastapi_easy.application.changes.work.commit import Commit
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.answers import BulkAnswer
from fastapi_easy.domain.changes.lazy_sequence import LazySequence
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import (
    BadQuery,
    Error,
    Forbidden,
    Outcome,
    OutcomeUnknown,
    Unavailable,
)
from fastapi_easy.domain.queries.specification import Specification, matches_everything
from fastapi_easy.domain.resources.options import Operation

T = TypeVar("T")


class AllSucceeded(LazySequence[Outcome[T]]):
    """A lazy sequence of outcomes, all of them successes.

    Args:
        values: The result of each.
    """

    __slots__ = ()

    def __init__(self, values: Sequence[T]) -> None:
        super().__init__(len(values), lambda: [Success(value) for value in values])


class _HiddenEntityError(Exception):
    """Raised when the caller may not see all the entities just created; rolls back the unit of work."""


class BulkHandler(ChangeHandler):
    """A handler that makes many changes of its resource, one after the other.

    Attributes:
        operation: The operation that the caller must be allowed, besides that of each change.
    """

    operation: ClassVar[Operation]

    async def apply_separately(self, items: Sequence[Change], context: Context) -> BulkAnswer:
        """Make the changes of *items*, each in its own unit of work; stop when the store does not answer."""
        done: list[Sequence[Outcome[object]]] = []
        for run in _group_creates(items):
            done.append(await self._apply_run_separately(run, context))
            if _is_unavailable(_last_failure(done[-1])):
                break
        left = len(items) - sum(map(len, done))
        return BulkAnswer(_concatenate([*done, [None] * left] if left else done))

    async def apply_atomically(
        self, items: Sequence[Change], command: object, context: Context
    ) -> Outcome[BulkAnswer]:
        """Make the changes of *items*, which *command* asks for, together, or none when one fails.

        Fails with:
            Unavailable, OutcomeUnknown: The store did not answer an item. It is the outcome of the whole, so that the
                whole is retried.

            And what `UnitOfWork.commit` fails with, and with an idempotency key `Idempotency.make_once`.
        """
        try:
            return await self._apply_in_one_unit_of_work(_group_creates(items), len(items), command, context)
        except _HiddenEntityError:
            # Once more item by item, to find out which of the created entities the caller may not see.
            single = ((item,) for item in items)
            return await self._apply_in_one_unit_of_work(single, len(items), command, context)

    async def _apply_in_one_unit_of_work(
        self, runs: Iterable[Sequence[Change]], length: int, command: object, context: Context
    ) -> Outcome[BulkAnswer]:
        """Apply *runs*, which have *length* items in all, in one unit of work."""
        access = await self._enter(context, self.operation)
        if not isinstance(access, Access):
            return access

        async def apply(work: CallerUnitOfWork, commit: Commit) -> Outcome[BulkAnswer]:
            done: list[Sequence[Outcome[object]]] = []
            writer = EntityWriter(self._resource, work.repository(self._resource), access)
            for run in runs:
                done.append(await self._apply_run(writer, run))
                if (failure := _last_failure(done[-1])) is not None:
                    if _is_unavailable(failure):
                        return failure
                    outcomes: list[Outcome[object] | None] = [None] * length
                    outcomes[sum(map(len, done)) - 1] = failure
                    return Success(BulkAnswer(outcomes, applied=False))
            return await commit(work, Success(BulkAnswer(_concatenate(done))))

        return await self._make_in_unit_of_work(apply, command, access, self.operation)

    async def _apply_run(self, writer: EntityWriter, run: Sequence[Change]) -> Sequence[Outcome[object]]:
        """Apply the items of *run*; return their outcomes up to the first failure."""
        if len(run) > 1:
            created = await _create_all(writer, run)
            if not isinstance(created, Failure):
                return AllSucceeded(created.unwrap())
            if isinstance(created.failure(), Forbidden):
                raise _HiddenEntityError
            if _is_unavailable(created):
                return [created]
        # One by one: `create_all` fails as a whole, and does not tell which item was at fault.
        outcomes: list[Outcome[object]] = []
        for item in run:
            outcomes.append(await _apply(writer, item))
            if isinstance(outcomes[-1], Failure):
                break
        return outcomes

    async def _apply_run_separately(
        self, run: Sequence[Change], context: Context
    ) -> Sequence[Outcome[object]]:
        """Apply each item of *run* on its own; return their outcomes up to one where the store did not answer."""
        if len(run) > 1:
            created = await self._run_and_retry(lambda writer: _create_all(writer, run), context)
            if not isinstance(created, Failure):
                return AllSucceeded(created.unwrap())
            if isinstance(created.failure(), OutcomeUnknown):
                return [created] * len(run)
        outcomes: list[Outcome[object]] = []
        for item in run:
            outcomes.append(await self._run_and_retry(partial(_apply, item=item), context))
            if _is_unavailable(outcomes[-1]):
                break
        return outcomes

    async def _run_and_retry(
        self, change: Callable[[EntityWriter], Awaitable[Outcome[T]]], context: Context
    ) -> Outcome[T]:
        """Run *change* in a unit of work of its own; again when the store was unavailable, as a whole call is."""

        def run() -> Awaitable[Outcome[T]]:
            # Without a command: a call with an idempotency key is not made item by item.
            return self._run_in_unit_of_work(change, None, context, self.operation)

        outcome, retry = await run(), self._collaborators.ports.retry
        if retry is not None and isinstance(outcome, Failure) and isinstance(outcome.failure(), Unavailable):
            return await retry().repeat(self._resource.database, run, outcome, 1)
        return outcome


def _last_failure(outcomes: Sequence[Outcome[object]]) -> Failure[Error] | None:
    """Return the last of *outcomes* if it is a failure."""
    last = None if isinstance(outcomes, AllSucceeded) else outcomes[-1]
    return last if isinstance(last, Failure) else None


def _is_unavailable(outcome: Outcome[object] | None) -> bool:
    """Return whether *outcome* is that the store did not answer, so that the remaining items should not be tried."""
    return isinstance(outcome, Failure) and isinstance(outcome.failure(), Unavailable | OutcomeUnknown)


def _concatenate(parts: Sequence[Sequence[Outcome[object] | None]]) -> Sequence[Outcome[object] | None]:
    """Return *parts* concatenated; a single part is returned as it is, so that it may stay lazy."""
    return parts[0] if len(parts) == 1 else [outcome for part in parts for outcome in part]


def _group_creates(items: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Yield *items* in their order, with consecutive creates grouped so that they can be inserted together."""
    for kind, run in groupby(items, type):
        if kind is Create or kind is CreateStored:
            yield tuple(run)
        else:
            yield from ((item,) for item in run)


async def _create_all(writer: EntityWriter, run: Sequence[Change]) -> Outcome[Sequence[Row]]:
    """Create the entities of *run*, whose items are of one type, together."""
    values = [item.values for item in run if isinstance(item, Create | CreateStored)]
    is_stored = isinstance(run[0], CreateStored)
    return await (writer.create_stored(values) if is_stored else writer.create_all(values))


async def _apply(writer: EntityWriter, item: Change) -> Outcome[object]:
    match item:
        case Malformed(error):
            return Failure(error)
        case Create(values):
            return await writer.create(values)
        case CreateStored():
            created = await _create_all(writer, (item,))
            return created if isinstance(created, Failure) else Success(created.unwrap()[0])
        case Upsert(values):
            return await writer.upsert(values)
        case Update(key, patch, expected_version):
            return await writer.update(key, patch, expected_version)
        case Delete(key, expected_version):
            return await writer.delete(key, expected_version)
        case UpdateWhere(specification, patch, max_affected):
            return _reject_unfiltered(specification) or await writer.update_where(
                specification, patch, max_affected
            )
        case DeleteWhere(specification, max_affected):
            return _reject_unfiltered(specification) or await writer.delete_where(specification, max_affected)
        case _:
            assert_never(item)


def _reject_unfiltered(specification: Specification) -> Failure[Error] | None:
    """Return a `BadQuery` failure when every entity satisfies *specification*: a forgotten filter changes nothing."""
    if not matches_everything(specification):
        return None
    return Failure(BadQuery("where", "Must compare at least one field"))
