"""The steps from the stored collections to the declared ones, in an order in which they can be executed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.infrastructure.migrations.mongo.declared import DeclaredCollection
from fastapi_easy.infrastructure.migrations.mongo.drafting import steps
from fastapi_easy.infrastructure.migrations.mongo.drafting.indexes import (
    compare_indexes,
    concerns,
    picture_of,
    rename_path,
)
from fastapi_easy.infrastructure.migrations.mongo.drafting.validators import loosen
from fastapi_easy.infrastructure.migrations.mongo.ledger import Created
from fastapi_easy.infrastructure.migrations.mongo.picture import CollectionPicture, IndexPicture
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY


class CannotDraft(Exception):
    """There are no steps for what a hint says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a draft is made from.

    Attributes:
        database: The name of the database on its server.

        declared: The declared collections.

        stored: What is there, by name.

        created: What this system has made of it.

        rows: How many documents each stored collection has, as estimated.

        renamed: The fields to be renamed that documents or indexes have still, by the stored name of the collection:
            pairs of old and new names.
    """

    database: str
    declared: Sequence[DeclaredCollection]
    stored: Mapping[str, CollectionPicture]
    created: Created
    rows: Mapping[str, int] = field(default_factory=dict)
    renamed: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def draft_steps(found: Found, hints: Hints) -> list[Step]:
    """Return the steps from what is *found* to what is declared.

    Raises:
        CannotDraft: A hint cannot be followed.
    """
    renames = find_renames(found.stored, found.declared, hints)
    old_names = {new: old for old, new in renames.items()}
    drafted = [
        steps.rename_collection(found.database, old, new, found.rows.get(old)) for old, new in renames.items()
    ]
    dropped = list(_dropped(found, hints, renames))
    for each in found.declared:
        old_name = old_names.get(each.name, each.name)
        picture = found.stored.get(old_name)
        if picture is None:
            drafted += _create(each, dropped)
        elif picture.kind == "collection":
            drafted += _Comparison(found, each, replace(picture, name=each.name), old_name, hints).steps()
    drafted += [steps.drop_collection(each, found.rows.get(each.name)) for each in dropped]
    return drafted


def find_renames(
    stored: Collection[str], declared: Sequence[DeclaredCollection], hints: Hints
) -> dict[str, str]:
    """Return the new names of the stored collections that are renamed, by the old ones.

    Raises:
        CannotDraft: Both are there, or nobody declares the new one.
    """
    names = {each.name for each in declared}
    found: dict[str, str] = {}
    for old, new in hints.renamed_tables.items():
        if old not in stored:
            # Renamed already, or nothing to be renamed.
            continue
        if new not in names:
            raise CannotDraft(f"the collection {old} cannot be renamed to {new}: nobody declares {new}")
        if new in stored:
            raise CannotDraft(f"the collection {old} cannot be renamed to {new}: there is one of that name")
        found[old] = new
    return found


def _dropped(found: Found, hints: Hints, renames: Collection[str]) -> Iterator[CollectionPicture]:
    names = {each.name for each in found.declared}
    for name, picture in found.stored.items():
        is_ours = name in found.created.collections or hints.drop_undeclared
        if picture.kind == "collection" and name not in names and name not in renames and is_ours:
            yield picture


def _create(declared: DeclaredCollection, dropped: Sequence[CollectionPicture]) -> Iterator[Step]:
    name = declared.name
    like = (each.name for each in dropped if _fields_of(each) == declared.fields)
    yield steps.create_collection(name, declared.validator, probable_rename_of=next(like, ""))
    for index in declared.indexes:
        yield steps.create_index(name, picture_of(index), 0, is_new=True)


def _fields_of(picture: CollectionPicture) -> frozenset[str]:
    schema = picture.validator.get("$jsonSchema") or {}
    return frozenset(schema.get("properties") or {})


class _Comparison:
    """One declared collection beside the stored one."""

    def __init__(
        self,
        found: Found,
        declared: DeclaredCollection,
        stored: CollectionPicture,
        old_name: str,
        hints: Hints,
    ) -> None:
        self._declared = declared
        self._stored = stored
        self._hints = hints
        self._rows = found.rows.get(old_name)
        self._renames = list(found.renamed.get(old_name, ()))
        self._ours = {name for collection, name in found.created.indexes if collection == old_name}

    def steps(self) -> Iterator[Step]:
        """Yield the steps: first what makes room, then fields, then indexes."""
        name, rows = self._declared.name, self._rows
        before = self._stored.validator
        after = loosen(before, self._declared.validator)
        if after != before:
            yield steps.change_validator(name, before, after, rows)
        stored, moved, replaced = self._move_indexes()
        for index in replaced:
            # Documents without the field would all have the same value in it: null.
            yield steps.drop_index(name, index, rows)
        for old, new in self._renames:
            yield steps.rename_field(name, old, new, self._hints.batch_size, rows)
        compared = compare_indexes(
            self._declared,
            stored,
            self._ours,
            drop_undeclared=self._hints.drop_undeclared,
        )
        for index in moved:
            if index not in compared.dropped:
                yield steps.create_index(name, index, rows, is_moved=True)
        for index in compared.created:
            yield steps.create_index(name, index, rows)
        for index in compared.dropped:
            if index not in moved:
                yield steps.drop_index(name, index, rows)

    def _move_indexes(self) -> tuple[list[IndexPicture], list[IndexPicture], list[IndexPicture]]:
        """Return the indexes as they are after renaming fields, those that are made anew for it, and the old ones."""
        stored = list(self._stored.indexes)
        moved: list[IndexPicture] = []
        replaced: list[IndexPicture] = []
        for old, new in self._renames:
            for place, index in enumerate(stored):
                if not concerns(index, old):
                    continue
                taken = {each.name for each in (*stored, *self._stored.indexes)}
                stored[place] = rename_path(index, old, new, taken)
                if index in moved:
                    moved.remove(index)
                else:
                    replaced.append(index)
                moved.append(stored[place])
        return stored, moved, replaced


def find_field_renames(declared: DeclaredCollection, old_name: str, hints: Hints) -> list[tuple[str, str]]:
    """Return the fields of a collection that *hints* rename, by its stored or its declared name: old and new ones.

    Raises:
        CannotDraft: The key cannot be renamed, or nobody declares the new field.
    """
    found: list[tuple[str, str]] = []
    for path, new in hints.renamed_columns.items():
        collection, _, old = path.rpartition(".")
        if collection not in {declared.name, old_name}:
            continue
        if KEY in {old, new}:
            raise CannotDraft(f"{path} cannot be renamed to {new}: the key of a document never changes")
        if new not in declared.fields:
            raise CannotDraft(f"{path} cannot be renamed to {new}: nobody declares {declared.name}.{new}")
        if old in declared.fields:
            raise CannotDraft(f"{path} cannot be renamed to {new}: it is declared too")
        found.append((old, new))
    return found
