"""Creating the collections that are missing, and comparing those that exist."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from bson.binary import BINARY_SUBTYPE, Binary
from pymongo import ReturnDocument
from pymongo.errors import CollectionInvalid, DuplicateKeyError, OperationFailure

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.indexes import (
    Index,
    build_validator,
    find_enforced_fields,
    needed_indexes,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import SYSTEM_COLLECTION, Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.errors import DUPLICATE_KEY_CODES, PoolExhausted, code_of

_LOCK_ID: Final = "schema"
_LOCK_TIMEOUT: Final = 10.0
"""Seconds to wait while another process creates collections."""

_LOCK_TTL_MS: Final = 60_000
"""Milliseconds after which the lock of a process that has died is free again."""

_POLL_INTERVAL: Final = 0.05
_INDEX_CONFLICT_CODES: Final = frozenset({67, 85, 86})
"""Another index has this name, or is on these fields with other options."""


async def prepare(client: Client, plans: Sequence[Plan], mode: SchemaMode) -> list[str]:
    """Create or compare the collections of *plans*, as *mode* says; return a sentence for each difference left."""
    if mode in {SchemaMode.CREATE, SchemaMode.FRESH}:
        async with _schema_lock(client):
            existing = await _read_collections(client)
            if mode is SchemaMode.CREATE or not any(plan.collection in existing for plan in plans):
                for plan in _distinct(plans):
                    await _create(client, plan, exists=plan.collection in existing)
    return await _compare(client, plans)


async def _create(client: Client, plan: Plan, *, exists: bool) -> None:
    if not exists:
        # A process that does not take our lock may have created it meanwhile.
        with suppress(CollectionInvalid):
            _ = await client.call(
                lambda: client.database.create_collection(plan.collection, validator=build_validator(plan)),
                is_write=True,
            )
    for index in needed_indexes(plan):
        try:
            await client.create_index(plan.collection, index.keys, index.options)
        except OperationFailure as error:
            # Another index or equal values are in the way: the comparison reports it.
            if code_of(error) not in _INDEX_CONFLICT_CODES | DUPLICATE_KEY_CODES:
                raise


async def _compare(client: Client, plans: Sequence[Plan]) -> list[str]:
    existing = await _read_collections(client)
    differences: list[str] = []
    for plan in plans:
        stored = existing.get(plan.collection)
        name = plan.resource.name
        plan.enforced = find_enforced_fields(plan, stored or {})
        if stored is None:
            differences.append(f"{name}: the collection {plan.collection} does not exist")
            continue
        differences += _compare_validator(plan, stored)
        indexes = await client.indexes(plan.collection)
        plan.has_text_index = any(
            wanted.is_on(each["key"], each.get("weights") or {})
            for wanted in needed_indexes(plan)
            if wanted.is_text
            for each in indexes
        )
        differences += [
            sentence
            for index in needed_indexes(plan)
            for sentence in _compare_index(name, plan.collection, index, indexes)
        ]
    return differences


def _compare_index(name: str, collection: str, wanted: Index, stored: Sequence[Document]) -> Iterator[str]:
    on = ", ".join(wanted.paths)
    place = f"{name}: the index of {collection} on {on}"
    same = [each for each in stored if wanted.is_on(each["key"], each.get("weights") or {})]
    if not same:
        kind = "unique " if wanted.unique else "text " if wanted.is_text else ""
        yield f"{name}: {collection} has no {kind}index on {on}; create it"
    elif wanted.unique and not any(each.get("unique") for each in same):
        yield f"{place} is not unique; make it so"
    elif wanted.unique and not any(_has_same_filter(each, wanted) for each in same):
        yield f"{place} covers other documents: set its partialFilterExpression to {dict(wanted.partial_filter)!r}"


def _has_same_filter(stored: Document, wanted: Index) -> bool:
    return _read_back(stored.get("partialFilterExpression") or {}) == _read_back(wanted.partial_filter)


def _read_back(partial_filter: Document) -> Document:
    """Return *partial_filter* as the driver reads it: plain binary values are `bytes`, which equal no `Binary`."""
    return {
        path: {
            name: bytes(value) if isinstance(value, Binary) and value.subtype == BINARY_SUBTYPE else value
            for name, value in rule.items()
        }
        for path, rule in partial_filter.items()
    }


def _compare_validator(plan: Plan, stored: Document) -> Iterator[str]:
    """Yield where the validator of a collection would reject what the class allows. None at all allows everything."""
    schema = (stored.get("validator") or {}).get("$jsonSchema")
    if schema is None:
        return
    wanted = build_validator(plan)["$jsonSchema"]
    entity = plan.resource.stored.__name__
    place = f"{plan.resource.name}: the validator of {plan.collection}"
    known = schema.get("properties") or {}
    for name, rule in wanted["properties"].items():
        yield from _compare_types(f"{place} requires {name}", entity, rule, known.get(name) or {})
    for name in schema.get("required") or ():
        if name not in wanted["properties"]:
            yield f"{place} requires the field {name!r}, which {entity} does not have; change one of them"
    if schema.get("additionalProperties") is False:
        for name in wanted["properties"]:
            if name not in known:
                yield f"{place} allows no field {name!r}; change it"


def _compare_types(place: str, entity: str, wanted: Document, stored: Document) -> Iterator[str]:
    types = stored.get("bsonType")
    allowed = {types} if isinstance(types, str) else set(types or ())
    needed = set(wanted.get("bsonType") or ())
    if "number" in allowed:
        allowed |= {"int", "long", "double", "decimal"}
    if allowed and not needed <= allowed:
        lacking = " or ".join(sorted(needed - allowed))
        yield f"{place} to be {' or '.join(sorted(allowed))}, while {entity} may give {lacking}; change one of them"
    choices = stored.get("enum")
    if choices is not None and wanted.get("enum") and not set(wanted["enum"]) <= set(choices):
        yield f"{place} to be one of {list(choices)}, while {entity} has {wanted['enum']}; change one of them"


async def _read_collections(client: Client) -> dict[str, Document]:
    return {each["name"]: each.get("options") or {} for each in await client.collections()}


def _distinct(plans: Sequence[Plan]) -> Iterator[Plan]:
    yield from {plan.collection: plan for plan in reversed(plans)}.values()


@asynccontextmanager
async def _schema_lock(client: Client) -> AsyncIterator[None]:
    """Hold the lock that keeps other processes of this package from changing the schema."""
    locks = client.collection(SYSTEM_COLLECTION)
    owner = uuid.uuid4().hex
    with suppress(DuplicateKeyError):
        _ = await client.call(
            lambda: locks.insert_one({KEY: _LOCK_ID, "until": None, "owner": None}), is_write=True
        )
    # By the server's clock, since those of the processes differ. `null` is less than any date, so it means free.
    free = {KEY: _LOCK_ID, "$expr": {"$lte": ["$until", "$$NOW"]}}
    take = [{"$set": {"owner": owner, "until": {"$add": ["$$NOW", _LOCK_TTL_MS]}}}]
    waited_until = time.monotonic() + _LOCK_TIMEOUT
    while (
        await client.call(
            lambda: locks.find_one_and_update(free, take, return_document=ReturnDocument.AFTER), is_write=True
        )
        is None
    ):
        if time.monotonic() > waited_until:
            raise PoolExhausted
        await asyncio.sleep(_POLL_INTERVAL)
    try:
        yield
    finally:
        _ = await client.call(
            lambda: locks.update_one(
                {KEY: _LOCK_ID, "owner": owner}, {"$set": {"owner": None, "until": None}}
            ),
            is_write=True,
        )
