"""MongoDB schema stores, and the steps that create a collection."""

import json
from collections.abc import Sequence

import pymongo

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.migrations.mongo.picture import is_own
from fastapi_easy.infrastructure.migrations.mongo.store import MongoSchemaStore
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan
from fastapi_easy.testing.conformance import SchemaStoreFactory


def store_at(url: str, plans: Sequence[Plan] = ()) -> MongoSchemaStore:
    """A store at *url* for the resources of *plans*."""
    return MongoSchemaStore("shop", url, lambda: plans, SystemClock())


def creating(name: str, mode: StepMode, *more: str) -> Step:
    """A step that creates the collection *name*."""
    return Step(
        changes=(Change(kind=ChangeKind.CREATE_COLLECTION, table=name),),
        summary=f"create collection {name}",
        statements=(json.dumps({"create": name}), *more),
        reverse=(json.dumps({"drop": name}),),
        reversibility=Reversibility.FULL,
        mode=mode,
        reverse_mode=mode,
        probe=Probe(kind="collection", wanted={"collection": name}),
    )


def failing(name: str, mode: StepMode) -> Step:
    """A step that creates the collection *name*, and fails then."""
    return creating(name, mode, json.dumps({"dropIndexes": "nowhere", "index": "x"}))


async def collections_at(url: str) -> frozenset[str]:
    """The names of the collections at *url* but for the system's own."""
    async with pymongo.AsyncMongoClient(url) as client:
        names = await client.get_default_database().list_collection_names()
    return frozenset(each for each in names if not is_own(each))


async def empty(url: str) -> None:
    """Drop the database at *url*."""
    async with pymongo.AsyncMongoClient(url) as client:
        await client.drop_database(client.get_default_database().name)


def factory_at(url: str, column: str) -> SchemaStoreFactory:
    """The factory of stores at *url*."""
    return SchemaStoreFactory(
        open=lambda: store_at(url),
        step=creating,
        broken_step=failing,
        names=lambda: collections_at(url),
        modes=frozenset({StepMode.AUTOCOMMIT}),
        column=column,
    )
