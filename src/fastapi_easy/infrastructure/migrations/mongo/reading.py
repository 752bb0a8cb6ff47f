"""Reading what is stored: collections, their options and indexes."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any, Final

from fastapi_easy.domain.ports.schema_store import StoredSchema
from fastapi_easy.infrastructure.migrations.mongo.commands import canonical
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.migrations.mongo.picture import (
    CollectionPicture,
    index_of,
    is_own,
    options_of,
)

_ID_INDEX: Final = "_id_"
_VERSION_NUMBERS: Final = 3


async def read_names(connections: MongoConnections, also: Collection[str] = ()) -> list[str]:
    """Return the names of the collections that are schema: not the system's own, unless they are in *also*."""
    names: list[str] = await connections.database.list_collection_names()
    return sorted(each for each in names if each in also or not is_own(each))


async def read_pictures(
    connections: MongoConnections, also: Collection[str] = ()
) -> dict[str, CollectionPicture]:
    """Return what each collection looks like, by name."""
    cursor = await connections.database.list_collections()
    described: list[dict[str, Any]] = await cursor.to_list(None)
    found: dict[str, CollectionPicture] = {}
    for each in sorted(described, key=lambda each: str(each["name"])):
        name, kind = each["name"], each.get("type", "collection")
        if is_own(name) and name not in also:
            continue
        indexes = [] if kind != "collection" else await read_indexes(connections, name)
        found[name] = CollectionPicture(
            name=name,
            kind=kind,
            options=options_of(each.get("options") or {}),
            indexes=tuple(index_of(index) for index in indexes),
        )
    return found


async def read_indexes(connections: MongoConnections, collection: str) -> list[dict[str, Any]]:
    """Return the indexes of *collection* as the server describes them, by name, but for the one of `_id`."""
    cursor = await connections.database[collection].list_indexes()
    found: list[dict[str, Any]] = await cursor.to_list(None)
    return sorted((each for each in found if each["name"] != _ID_INDEX), key=lambda each: str(each["name"]))


async def describe(connections: MongoConnections, pictures: Iterable[CollectionPicture]) -> StoredSchema:
    """Describe a stored schema that looks like *pictures*."""
    shown = list(pictures)
    built = await connections.database.client.admin.command("buildInfo")
    return StoredSchema(
        fingerprint=_fingerprint(shown),
        server_version=str(built.get("version", "")),
        version=tuple(int(each) for each in built.get("versionArray", ())[:_VERSION_NUMBERS]),
        is_empty=not shown,
        unfinished=tuple(await _read_unfinished(connections, {each.name for each in shown})),
    )


def _fingerprint(pictures: Iterable[CollectionPicture]) -> str:
    content = [
        [
            each.name,
            each.kind,
            each.options,
            [[index.name, [list(key) for key in index.keys], index.options] for index in each.indexes],
        ]
        for each in pictures
    ]
    return hashlib.sha256(canonical(content).encode()).hexdigest()


async def _read_unfinished(connections: MongoConnections, names: Collection[str]) -> list[str]:
    building = {
        "command.createIndexes": {"$in": sorted(names)},
        "command.$db": connections.database_name,
        "connectionId": {"$exists": False},
    }
    return sorted(
        f"the index {index.get('name')} of {each['command']['createIndexes']} is being built"
        for each in await connections.operations(building)
        for index in each["command"].get("indexes", ())
    )
