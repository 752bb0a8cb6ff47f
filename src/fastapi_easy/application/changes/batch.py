"""Many changes of one resource, all or none or each for itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, cast

from returns.result import Failure, Success

from fastapi_easy.application.changes.changing import Changing
from fastapi_easy.application.changes.entity_writer import EntityWriter
from fastapi_easy.application.changes.items import (
    Change,
    Create,
    Delete,
    DeleteWhere,
    Update,
    UpdateWhere,
    Upsert,
)
from fastapi_easy.application.changes.settling import settle
from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import BadQuery, Error, Outcome, OutcomeUnknown, TooLarge, Unavailable
from fastapi_easy.domain.page import PageRequest
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.specification import Specification, means_all


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """What became of every item.

    Attributes:
        outcomes: One for each item, in their order: the row, `Upserted`, `None` for a delete, how many for the items
            that name no key, or why it failed; `None` in place of an outcome that was undone or never tried because
            another item failed, or because the store stopped answering.

        applied: Something may have been changed; always so unless an atomic call had an item that failed.
    """

    outcomes: Sequence[Outcome[Any] | None]
    applied: bool = True


class Batch(Changing):
    """Makes many changes of *resource*, one after the other, for whoever asks."""

    async def each(self, items: Sequence[Change], context: Context) -> BulkAnswer:
        """Make the changes of *items*, each durable by itself; what the store leaves open ends it."""
        outcomes: list[Outcome[Any] | None] = []
        for run in _runs(items):
            outcomes += await self._each(run, context)
            if _is_silent(outcomes[-1]):
                break
        return BulkAnswer([*outcomes, *[None] * (len(items) - len(outcomes))])

    async def all_or_none(self, items: Sequence[Change], context: Context) -> Outcome[BulkAnswer]:
        """Make the changes of *items* together, or none when one fails.

        Fails with: what `UnitOfWork.commit` fails with.
        """
        outcomes: list[Outcome[Any]] = []
        async with self._unit_of_work() as work:
            writer = self._writer(work, context)
            for run in _runs(items):
                done = await self._run(writer, run)
                outcomes += done
                if isinstance(done[-1], Failure):
                    failed: list[Outcome[Any] | None] = [None] * len(items)
                    failed[len(outcomes) - 1] = done[-1]
                    return Success(BulkAnswer(failed, applied=False))
            return await settle(work, context, Success(BulkAnswer(outcomes)))

    async def _run(self, writer: EntityWriter, run: Sequence[Change]) -> list[Outcome[Any]]:
        """What became of the items of *run*, up to the first that failed."""
        if len(run) > 1:
            created = await writer.create_all([cast("Create", item).values for item in run])
            if not isinstance(created, Failure):
                return [Success(row) for row in created.unwrap()]
        # One by one, also to find out which of many was refused.
        outcomes: list[Outcome[Any]] = []
        for item in run:
            outcomes.append(await _apply(writer, item))
            if isinstance(outcomes[-1], Failure):
                break
        return outcomes

    async def _each(self, run: Sequence[Change], context: Context) -> Sequence[Outcome[Any]]:
        """What became of each item of *run*, whatever became of the others, up to one that the store left open."""
        if len(run) > 1:
            values = [cast("Create", item).values for item in run]
            created = await self._alone(lambda writer: writer.create_all(values), context)
            if not isinstance(created, Failure):
                return [Success(row) for row in created.unwrap()]
            if isinstance(created.failure(), OutcomeUnknown):
                return [created] * len(run)
        outcomes: list[Outcome[Any]] = []
        for item in run:
            outcomes.append(await self._alone(partial(_apply, item=item), context))
            if _is_silent(outcomes[-1]):
                break
        return outcomes


def _is_silent(outcome: Outcome[Any] | None) -> bool:
    """The store did not answer, so that asking it for more makes no sense."""
    return isinstance(outcome, Failure) and isinstance(outcome.failure(), Unavailable | OutcomeUnknown)


def _runs(items: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """*items* in their order, creates that follow one another together."""
    for together, run in groupby(items, lambda item: isinstance(item, Create)):
        if together:
            yield tuple(run)
        else:
            yield from ((item,) for item in run)


async def _apply(writer: EntityWriter, item: Change) -> Outcome[Any]:
    match item:
        case Create(values):
            return await writer.create(values)
        case Upsert(values):
            return await writer.upsert(values)
        case Update(key, patch, expected_version):
            return await writer.update(key, patch, expected_version)
        case Delete(key, expected_version):
            return await writer.delete(key, expected_version)
        case UpdateWhere(specification, patch, max_affected):
            return await _apply_where(
                writer, specification, max_affected, lambda key: writer.update(key, patch, None)
            )
        case DeleteWhere(specification, max_affected):
            return await _apply_where(
                writer, specification, max_affected, lambda key: writer.delete(key, None)
            )


async def _apply_where(
    writer: EntityWriter, specification: Specification, max_affected: int, change: Callable[[Any], Any]
) -> Outcome[int]:
    """How many entities *change* was made to: one by one, so that each gets its event."""
    if means_all(specification):
        return Failure(BadQuery("where", "Must compare at least one field"))
    found = await writer.keys(Query(specification=specification, page=PageRequest(limit=max_affected + 1)))
    if isinstance(found, Failure):
        return found
    keys = found.unwrap()
    if len(keys) > max_affected:
        too_many: Error = TooLarge("affected", max_affected, "entities")
        return Failure(too_many)
    for key in keys:
        changed: Outcome[Any] = await change(key)
        if isinstance(changed, Failure):
            return changed
    return Success(len(keys))
