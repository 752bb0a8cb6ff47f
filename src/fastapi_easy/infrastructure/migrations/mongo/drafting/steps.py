"""The steps that each kind of change takes."""

import json
from typing import Any, Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.step import Probe, Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.mongo.commands import canonical, to_text
from fastapi_easy.infrastructure.migrations.mongo.picture import CollectionPicture, IndexPicture
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document

_COMMITTING: Final[dict[str, Any]] = {
    "mode": StepMode.AUTOCOMMIT,
    "reverse_mode": StepMode.AUTOCOMMIT,
    # Commands wait for transactions, which the server ends after a minute.
    "lock_timeout": 0.0,
}


def create_collection(name: str, validator: Document, *, probable_rename_of: str = "") -> Step:
    """Return the step that creates the collection *name*."""
    facts: Facts = {"columns": tuple(validator["$jsonSchema"]["properties"])}
    if probable_rename_of:
        facts["probable_rename_of"] = probable_rename_of
    return Step(
        changes=(Change(kind=ChangeKind.CREATE_COLLECTION, table=name, facts=facts),),
        summary=f"create collection {name}",
        statements=(to_text({"create": name, "validator": validator}),),
        reverse=(to_text({"drop": name}),),
        reversibility=Reversibility.FULL,
        probe=Probe(kind="collection", wanted={"collection": name, "validator": canonical(validator)}),
        rows=0,
        **_COMMITTING,
    )


def drop_collection(picture: CollectionPicture, rows: int | None) -> Step:
    """Return the step that drops the collection that looks like *picture*."""
    name = picture.name
    indexes = [each.specification for each in picture.indexes]
    restored = [{"create": name, **picture.options}]
    if indexes:
        restored.append({"createIndexes": name, "indexes": indexes})
    return Step(
        changes=(Change(kind=ChangeKind.DROP_COLLECTION, table=name),),
        summary=f"drop collection {name}",
        statements=(to_text({"drop": name}),),
        reverse=tuple(to_text(each) for each in restored),
        reversibility=Reversibility.SCHEMA_ONLY,
        probe=Probe(kind="collection", wanted={"collection": name}, absent=True),
        destructive=True,
        rows=rows,
        lock="exclusive, on the collection",
        **_COMMITTING,
    )


def rename_collection(database: str, old: str, new: str, rows: int | None) -> Step:
    """Return the step that renames the collection *old*."""
    before, after = f"{database}.{old}", f"{database}.{new}"
    return Step(
        changes=(Change(kind=ChangeKind.RENAME_COLLECTION, table=old, facts={"new_name": new}),),
        summary=f"rename collection {old} to {new}",
        statements=(to_text({"renameCollection": before, "to": after}),),
        reverse=(to_text({"renameCollection": after, "to": before}),),
        reversibility=Reversibility.FULL,
        probe=Probe(kind="collection", wanted={"collection": new, "renamed": old}),
        rows=rows,
        lock="exclusive, on the collection",
        **_COMMITTING,
    )


def change_validator(name: str, before: Document, after: Document, rows: int | None) -> Step:
    """Return the step that gives the collection *name* a looser validator."""
    facts: Facts = {"validator": to_text(after), "loosens": True}
    return Step(
        changes=(Change(kind=ChangeKind.CHANGE_VALIDATOR, table=name, facts=facts),),
        summary=f"loosen the validator of {name}",
        statements=(to_text({"collMod": name, "validator": after}),),
        reverse=(to_text({"collMod": name, "validator": before}),),
        reversibility=Reversibility.FULL,
        probe=Probe(
            kind="validator",
            wanted={"collection": name, "validator": canonical(after), "before": canonical(before)},
        ),
        rows=rows,
        lock="exclusive, on the collection",
        **_COMMITTING,
    )


def create_index(
    name: str, index: IndexPicture, rows: int | None, *, is_new: bool = False, is_moved: bool = False
) -> Step:
    """Return the step that creates *index* of the collection *name*.

    Args:
        name: Of the collection.

        index: What is created.

        rows: How many documents the collection has.

        is_new: The collection is created by the same plan.

        is_moved: It comes in the place of an index on fields that are renamed, whoever has made that.
    """
    facts: Facts = {
        "columns": index.paths,
        "unique": index.unique,
        "where": to_text(index.partial_filter) if index.partial_filter else None,
        "new_table": is_new,
    }
    if is_moved:
        facts["moved"] = True
    if "expireAfterSeconds" in index.options:
        # It comes in the place of one that expires documents after the same time.
        facts["expire_after"] = facts["expire_after_before"] = int(index.options["expireAfterSeconds"])
    return Step(
        changes=(Change(kind=ChangeKind.CREATE_INDEX, table=name, name=index.name, facts=facts),),
        summary=f"create {_shown(index)} of {name}",
        statements=(to_text({"createIndexes": name, "indexes": [index.specification]}),),
        reverse=(to_text({"dropIndexes": name, "index": index.name}),),
        reversibility=Reversibility.FULL,
        probe=_index_probe(name, index),
        rows=rows,
        lock="none but at the beginning and the end (hybrid build)",
        **_COMMITTING,
    )


def drop_index(name: str, index: IndexPicture, rows: int | None) -> Step:
    """Return the step that drops *index* of the collection *name*."""
    facts: Facts = {"columns": index.paths, "unique": index.unique}
    return Step(
        changes=(Change(kind=ChangeKind.DROP_INDEX, table=name, name=index.name, facts=facts),),
        summary=f"drop {_shown(index)} of {name}",
        statements=(to_text({"dropIndexes": name, "index": index.name}),),
        reverse=(to_text({"createIndexes": name, "indexes": [index.specification]}),),
        reversibility=Reversibility.FULL,
        probe=_index_probe(name, index, absent=True),
        rows=rows,
        lock="exclusive, on the collection",
        **_COMMITTING,
    )


def rename_field(name: str, old: str, new: str, batch_size: int, rows: int | None) -> Step:
    """Return the step that renames the field *old* in every document of the collection *name*.

    Documents that have both stay as they are.
    """
    facts: Facts = {"new_name": new, "in_batches": True, "reversible": True}
    return Step(
        changes=(Change(kind=ChangeKind.RENAME_COLUMN, table=name, name=old, facts=facts),),
        summary=f"rename the field {old} of {name} to {new}, in batches",
        statements=(_rename_text(name, old, new, batch_size),),
        reverse=(_rename_text(name, new, old, batch_size),),
        reversibility=Reversibility.FULL,
        mode=StepMode.BATCHES,
        reverse_mode=StepMode.BATCHES,
        rows=rows,
        lock_timeout=0.0,
    )


def needs_rename(old: str, new: str) -> Document:
    """Return the filter for documents in which the field *old* is renamed."""
    return {old: {"$exists": True}, new: {"$exists": False}}


def _rename_text(name: str, old: str, new: str, batch_size: int) -> str:
    change = {"q": needs_rename(old, new), "u": {"$rename": {old: new}}, "multi": True}
    return to_text({"update": name, "updates": [change], "comment": {"batch_size": batch_size}})


def _index_probe(name: str, index: IndexPicture, *, absent: bool = False) -> Probe:
    wanted = {"collection": name, "index": index.name, "identity": index.identity}
    return Probe(kind="index", wanted=wanted, absent=absent)


def _shown(index: IndexPicture) -> str:
    keys = ", ".join(path if kind == 1 else f"{path}: {json.dumps(kind)}" for path, kind in index.keys)
    return f"{'unique ' if index.unique else ''}index {index.name} on ({keys})"
