"""The writes of one resource, inside a transaction or each by itself."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import bson
from bson import ObjectId
from pymongo.errors import OperationFailure, PyMongoError

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, NotFound, TooLarge
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.infrastructure.persistence.mongo import null_versions
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import CODEC_OPTIONS, Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    MAX_DOCUMENT_BYTES,
    CallRejected,
    duplicate_key,
    entity_not_found,
    too_many_affected,
    version_conflict,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.page_query import build_count_pipeline, read_count
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import (
    Condition,
    PlanLookup,
    build_condition,
)
from fastapi_easy.infrastructure.waiting.completion import run_to_completion

T = TypeVar("T")

MAX_ATTEMPTS: Final = 20
"""How often a write is tried again whose entity others keep changing (optimistic concurrency)."""


class Writer:
    """Writes entities of *plan*. Every method does all or nothing, as far as *transaction* can.

    Args:
        client: Of the database.

        plan: Of the resource.

        plans: Finds the plans of resources that relations lead to.

        transaction: The transaction of the writes.
    """

    __slots__ = ("_client", "_plan", "_plans", "_transaction")

    def __init__(self, client: Client, plan: Plan, plans: PlanLookup, transaction: Transaction) -> None:
        self._client = client
        self._plan = plan
        self._plans = plans
        self._transaction = transaction

    async def add(self, values: Values) -> Row:
        """Insert an entity, and return its row."""
        return (await self._add([values]))[0]

    async def add_all(self, many: Sequence[Values]) -> list[Row]:
        """Insert many entities, and return them in the same order."""
        return await self._add(many) if many else []

    async def add_stored(self, many: Sequence[Values]) -> list[Row]:
        """Insert many entities as a store held them before, and return them in the same order."""
        return await self._add(many, is_stored=True) if many else []

    async def update_one(
        self, key: Key, patch: Values, expected_version: str | None, scope: Specification
    ) -> Row:
        """Set the fields of *patch* on the entity with *key*."""
        changes = self._plan.changes(self._without_key(key, patch))
        condition = build_condition(scope, self._plan, self._plans)
        return await self._with_identity(
            key, lambda identity: self._update_one(key, identity, changes, expected_version, condition)
        )

    async def _update_one(
        self, key: Key, identity: object, changes: Values, expected_version: str | None, condition: Condition
    ) -> Row:
        plan = self._plan
        for _ in range(MAX_ATTEMPTS):
            # A patch of nothing with a version is replayed like a change: its answer depends on that version.
            guard, seen = await self._version_guard(
                key, identity, expected_version, condition, must_replay=not changes
            )
            if not changes:
                seen = seen or await self._find(identity, condition)
                if seen is None:
                    raise entity_not_found(plan.resource, key)
                return plan.row(seen)
            changed = await self._update_if(identity, condition, guard, self._build_update(changes))
            if changed is not None:
                return plan.row(changed)
            if expected_version is None:
                raise entity_not_found(plan.resource, key)
            # It had the version when it was read, and has changed since: read again, which tells what it is now.
        raise version_conflict(plan.resource, key, expected_version or "")

    async def remove(self, key: Key, expected_version: str | None, scope: Specification) -> None:
        """Remove the entity with *key*."""
        condition = build_condition(scope, self._plan, self._plans)
        await self._with_identity(
            key, lambda identity: self._remove(key, identity, expected_version, condition)
        )

    async def _remove(
        self, key: Key, identity: object, expected_version: str | None, condition: Condition
    ) -> None:
        plan = self._plan
        for _ in range(MAX_ATTEMPTS):
            guard, _seen = await self._version_guard(key, identity, expected_version, condition)
            if await self._remove_if(identity, condition, guard):
                return
            if expected_version is None:
                raise entity_not_found(plan.resource, key)
            # It had the version when it was read, and has changed since: read again, which tells what it is now.
        raise version_conflict(plan.resource, key, expected_version or "")

    async def update_where(self, specification: Specification, patch: Values, max_affected: int) -> int:
        """Set the fields of *patch* on every entity that *specification* means."""
        plan = self._plan
        if any(name in patch for name in plan.resource.key):
            raise ValueError("the key of an entity never changes")
        changes = plan.changes(patch)
        update = self._build_update(changes) if changes else None

        async def work(session: Session) -> int:
            affected = await self._count_up_to(specification, max_affected, session)
            if update is None or not affected:
                return affected
            if affected > 1:
                # Before the first is changed, see there.
                self._reject_duplicate_values(changes)
            match = await self._build_bulk_match(specification, max_affected, session)
            return await self._update_many(match, update, session)

        async def count_from_null(session: Session) -> None:
            match = await self._build_bulk_match(specification, max_affected, session)
            of_null = null_versions.only(match, plan.resource)
            _ = await self._update_many(of_null, null_versions.reset(plan.resource), session)

        try:
            return await self._transaction.write(work)
        except OperationFailure as error:
            if not null_versions.is_uncountable(error, plan.resource):
                raise
        await self._transaction.write(count_from_null)
        return await self._transaction.write(work)

    async def _update_many(self, match: Document, update: Document, session: Session) -> int:
        done = await self._client.call(
            lambda: self._collection.update_many(match, update, session=session), is_write=True
        )
        return int(done.matched_count)

    async def remove_where(self, specification: Specification, max_affected: int) -> int:
        """Remove every entity that *specification* means."""

        async def work(session: Session) -> int:
            if not await self._count_up_to(specification, max_affected, session):
                return 0
            match = await self._build_bulk_match(specification, max_affected, session)
            done = await self._client.call(
                lambda: self._collection.delete_many(match, session=session), is_write=True
            )
            return int(done.deleted_count)

        return await self._transaction.write(work)

    @property
    def _collection(self) -> Any:
        return self._client.collection(self._plan.collection)

    async def _add(self, many: Sequence[Values], *, is_stored: bool = False) -> list[Row]:
        plan = self._plan
        documents = await self._build_documents(many, is_stored=is_stored)
        rows = [plan.row(document) for document in documents]
        if len(documents) == 1:
            (document,) = documents

            await self._transaction.write(
                lambda session: self._client.commands.insert(plan.collection, document, session)
            )
            return rows

        async def insert_many(session: Session) -> None:
            _ = await self._client.call(
                lambda: self._collection.insert_many(documents, session=session), is_write=True
            )

        if await self._transaction.is_transactional():
            await self._transaction.write(insert_many)
        else:
            await run_to_completion(self._insert_or_compensate(insert_many, documents))
        return rows

    async def _insert_or_compensate(
        self, insert: Callable[[Session], Awaitable[None]], documents: list[Document]
    ) -> None:
        """Insert *documents*, and delete them again when one is rejected.

        That is the nearest to all or nothing where there are no transactions (ADR 16).
        """
        if any(
            len(bson.encode(document, codec_options=CODEC_OPTIONS)) > MAX_DOCUMENT_BYTES
            for document in documents
        ):
            # The driver would notice it only after it had sent those before it.
            raise CallRejected(TooLarge("entity", MAX_DOCUMENT_BYTES))
        try:
            await insert(None)
        except PyMongoError as error:
            details: Document = getattr(error, "details", None) or {}
            # Inserts are ordered: the first one that is rejected is the last one that was tried.
            written = documents[: int(details.get("nInserted", 0))]
            if written:
                keys = [document[KEY] for document in written]
                _ = await self._client.call(
                    lambda: self._collection.delete_many({KEY: {"$in": keys}}), is_write=True
                )
            raise

    async def _build_documents(self, many: Sequence[Values], *, is_stored: bool) -> list[Document]:
        plan = self._plan
        kept = [plan.encode(plan.fill_defaults(values, is_stored=is_stored)) for values in many]
        name = plan.generated_key
        if name is None:
            return [plan.build_document(each) for each in kept]
        if plan.resource.stored_fields[name].kind is not Kind.INTEGER:
            return [plan.build_document({name: ObjectId(), **each}) for each in kept]
        counters = self._client.counters
        given = [each[name] for each in kept if name in each]
        if given:
            await counters.ensure_at_least(plan, max(given))
        numbers = iter(await counters.reserve(plan, len(kept) - len(given)))
        return [plan.build_document(each if name in each else {name: next(numbers), **each}) for each in kept]

    async def _with_identity(self, key: Key, work: Callable[[object], Awaitable[T]]) -> T:
        """Run *work* on the document with *key*; when there is none, on one whose key of another kind is shown so."""
        identity = self._plan.identity(key)
        if identity is not None:
            try:
                return await work(identity)
            except CallRejected as rejected:
                if not isinstance(rejected.error, NotFound):
                    raise
        match = self._plan.other_key_match(key)
        if match is not None:
            find_options = FindOptions(match=match, projection={KEY: 1})
            found = await self._transaction.read(
                lambda session: self._client.commands.find(self._plan.collection, find_options, session)
            )
            if found:
                return await work(found[0][KEY])
        raise entity_not_found(self._plan.resource, key)

    def _build_update(self, changes: Values) -> Document:
        update: Document = {}
        if changes:
            update["$set"] = self._plan.encode(changes)
        if self._plan.resource.version is not None:
            update["$inc"] = {self._plan.resource.version: 1}
        return update

    async def _version_guard(
        self,
        key: Key,
        identity: object,
        expected: str | None,
        condition: Condition,
        *,
        must_replay: bool = False,
    ) -> tuple[Document, Document | None]:
        """Return the filter that holds while the entity has the version *expected*, and its document if it was read."""
        if expected is None:
            return {}, None
        plan = self._plan
        seen = await self._find(identity, condition, must_replay=must_replay)
        if seen is None:
            raise entity_not_found(plan.resource, key)
        current = plan.resource.version_of(plan.row(seen))
        if current != expected:
            raise version_conflict(plan.resource, key, current)
        if plan.resource.version is not None:
            return {plan.resource.version: {"$eq": seen.get(plan.resource.version)}}, seen
        # Without a version field the version is the whole document, which must be the same when it is written.
        return {"$expr": {"$eq": ["$$ROOT", {"$literal": seen}]}}, seen

    async def _find(
        self, identity: object, condition: Condition, *, must_replay: bool = False
    ) -> Document | None:
        """Return the document; with *must_replay* the transaction is lost when a replay finds it changed."""

        async def work(session: Session) -> Document | None:
            if condition.lookup_stages:
                pipeline: list[Document] = [{"$match": {KEY: {"$eq": identity}}}, *condition.pipeline]
                found = await self._client.commands.aggregate(self._plan.collection, pipeline, session)
                return _drop_lookup_fields(found[0]) if found else None
            find_options = FindOptions(match={KEY: {"$eq": identity}, **_combine_with_and(condition.match)})
            there = await self._client.commands.find(self._plan.collection, find_options, session)
            return there[0] if there else None

        return await (self._transaction.write(work) if must_replay else self._transaction.read(work))

    async def _update_if(
        self, identity: object, condition: Condition, guard: Document, update: Document
    ) -> Document | None:
        match = await self._build_match(identity, condition, guard)
        if match is None:
            return None
        if not update:
            return await self._find(identity, Condition(match))

        def change(match: Document, update: Document) -> Awaitable[Document | None]:
            modify = self._client.commands.find_and_modify
            return self._transaction.write(
                lambda session: modify(self._plan.collection, match, update, session)
            )

        try:
            return await change(match, update)
        except OperationFailure as error:
            if not null_versions.is_uncountable(error, self._plan.resource):
                raise
            of_null = null_versions.only(match, self._plan.resource)
            if (changed := await change(of_null, null_versions.count_first(update))) is None:
                raise
            return changed

    async def _remove_if(self, identity: object, condition: Condition, guard: Document) -> bool:
        match = await self._build_match(identity, condition, guard)
        if match is None:
            return False

        return await self._transaction.write(
            lambda session: self._client.commands.remove(self._plan.collection, match, session)
        )

    async def _build_match(self, identity: object, condition: Condition, guard: Document) -> Document | None:
        # A write takes a filter, no pipeline: what needs a `$lookup` is asked before, in the same transaction.
        if condition.lookup_stages and await self._find(identity, condition) is None:
            return None
        return {KEY: {"$eq": identity}, **_combine_with_and(condition.match, guard)}

    async def _count_up_to(self, specification: Specification, limit: int, session: Session) -> int:
        pipeline = build_count_pipeline(build_condition(specification, self._plan, self._plans))
        # One more than allowed is enough to know that it is too many.
        pipeline.insert(-1, {"$limit": limit + 1})
        affected = read_count(await self._client.commands.aggregate(self._plan.collection, pipeline, session))
        if affected > limit:
            raise too_many_affected(limit)
        return affected

    async def _build_bulk_match(self, specification: Specification, limit: int, session: Session) -> Document:
        """Build a filter for writes in place of *specification*: they cannot look at other documents."""
        condition = build_condition(specification, self._plan, self._plans)
        if not condition.lookup_stages:
            return condition.match
        pipeline = [*condition.pipeline, {"$limit": limit + 1}, {"$project": {KEY: 1}}]
        found = await self._client.commands.aggregate(self._plan.collection, pipeline, session)
        return {KEY: {"$in": [each[KEY] for each in found]}}

    def _reject_duplicate_values(self, changes: Values) -> None:
        """Reject giving several entities the same values where no two may have them.

        The server would reject it too, but without transactions only after it had changed the first one.
        """
        if self._plan.resource.soft_delete is not None:
            # Unique indexes leave deleted entities out, and those that change here may all be deleted.
            return
        for rule in self._plan.unique_rules:
            if all(changes.get(name) is not None for name in rule):
                raise duplicate_key(self._plan.resource, rule)

    def _without_key(self, key: Key, patch: Values) -> Values:
        names = self._plan.resource.key
        identity = dict(zip(names, (key,) if len(names) == 1 else key, strict=True))
        if any(name in patch and patch[name] != identity[name] for name in names):
            raise ValueError("the key of an entity never changes")
        return {name: value for name, value in patch.items() if name not in identity}


def _combine_with_and(*matches: Document) -> Document:
    parts = [each for each in matches if each]
    return {"$and": parts} if parts else {}


def _drop_lookup_fields(document: Document) -> Document:
    return {name: value for name, value in document.items() if not name.startswith(LOOKUP_PREFIX)}
