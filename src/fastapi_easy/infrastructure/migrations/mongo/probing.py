"""Looking for the effect of a step in the database.

What probes want, by their kind:

- `collection`: `collection` is its name; `validator`, if given, what it has to be, as a text of `commands.canonical`;
  `renamed`, if given, the name that is to be gone.
- `validator`: `collection`, and `validator` and `before` as such texts.
- `index`: `collection`, `index` is its name, `identity` what it does, as of `IndexPicture.identity`.
"""

from typing import assert_never

from fastapi_easy.domain.migrations.step import Effect, Probe
from fastapi_easy.infrastructure.migrations.mongo.commands import canonical
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.migrations.mongo.picture import index_of, options_of
from fastapi_easy.infrastructure.migrations.mongo.reading import read_indexes
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document


async def find_effect(connections: MongoConnections, probe: Probe) -> Effect:
    """Return how much of what *probe* wants is there."""
    if probe.kind not in {"collection", "validator", "index"}:
        return Effect.UNKNOWN
    options = await _options_of(connections, str(probe.wanted.get("collection", "")))
    match probe.kind:
        case "collection":
            effect = await _find_collection(connections, probe, options)
        case "validator":
            effect = _find_validator(probe, options)
        case _:
            effect = await _find_index(connections, probe)
    return _invert(effect) if probe.absent else effect


async def _find_collection(connections: MongoConnections, probe: Probe, options: Document | None) -> Effect:
    renamed = probe.wanted.get("renamed")
    if renamed is not None:
        is_old_there = await _options_of(connections, str(renamed)) is not None
        if is_old_there is (options is not None):
            return Effect.UNKNOWN
        return Effect.NOT_APPLIED if is_old_there else Effect.APPLIED
    if options is None:
        return Effect.NOT_APPLIED
    validator = probe.wanted.get("validator")
    is_wanted = validator is None or canonical(options.get("validator") or {}) == validator
    return Effect.APPLIED if is_wanted else Effect.PARTIAL


def _find_validator(probe: Probe, options: Document | None) -> Effect:
    if options is None:
        return Effect.UNKNOWN
    now = canonical(options.get("validator") or {})
    if now == probe.wanted.get("validator"):
        return Effect.APPLIED
    return Effect.NOT_APPLIED if now == probe.wanted.get("before") else Effect.UNKNOWN


async def _find_index(connections: MongoConnections, probe: Probe) -> Effect:
    collection, name = str(probe.wanted.get("collection", "")), str(probe.wanted.get("index", ""))
    same = [each for each in await read_indexes(connections, collection) if each["name"] == name]
    if not same:
        return Effect.NOT_APPLIED
    # It is listed from the beginning of its build on.
    building = await connections.operations(
        {
            "command.createIndexes": collection,
            "command.$db": connections.database_name,
            "command.indexes.name": name,
        }
    )
    is_wanted = index_of(same[0]).identity == probe.wanted.get("identity")
    return Effect.APPLIED if is_wanted and not building else Effect.PARTIAL


async def _options_of(connections: MongoConnections, collection: str) -> Document | None:
    cursor = await connections.database.list_collections(filter={"name": collection})
    found = await cursor.to_list(None)
    return options_of(found[0].get("options") or {}) if found else None


def _invert(effect: Effect) -> Effect:
    match effect:
        case Effect.APPLIED:
            return Effect.NOT_APPLIED
        case Effect.NOT_APPLIED:
            return Effect.APPLIED
        case Effect.PARTIAL | Effect.UNKNOWN:
            # Something else has its name: whether that was there before nobody knows.
            return Effect.UNKNOWN
        case _:
            assert_never(effect)
