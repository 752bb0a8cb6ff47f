"""Indexes that are missing, in the way, or not needed any more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fastapi_easy.infrastructure.migrations.mongo.declared import DeclaredCollection
from fastapi_easy.infrastructure.migrations.mongo.picture import IndexPicture
from fastapi_easy.infrastructure.persistence.mongo.documents.indexes import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexChanges:
    """What is to be done about the indexes of one collection.

    Attributes:
        created: Those that are missing, under names that are free.

        dropped: Those that reject what the program allows, or that this system has made and nobody needs.
    """

    created: tuple[IndexPicture, ...]
    dropped: tuple[IndexPicture, ...]


def compare_indexes(
    declared: DeclaredCollection,
    stored: Sequence[IndexPicture],
    ours: Collection[str],
    *,
    drop_undeclared: bool,
) -> IndexChanges:
    """Compare the indexes of one collection.

    Args:
        declared: What the program needs.

        stored: What is there.

        ours: The names of those that this system has made.

        drop_undeclared: Also unique indexes that others have made, and the program does not know, are dropped. Those
            that are not unique reject nothing, and nobody can declare them.
    """
    wanted = declared.indexes
    taken = {each.name for each in stored}
    created: list[IndexPicture] = []
    for index in wanted:
        if not any(each.serves(index) for each in stored):
            made = picture_of(index, taken)
            taken.add(made.name)
            created.append(made)
    dropped = tuple(
        each
        for each in stored
        if not any(each.serves(index) for index in wanted)
        and (each.name in ours or _is_in_the_way(each, declared) or (drop_undeclared and each.unique))
    )
    return IndexChanges(created=tuple(created), dropped=dropped)


def picture_of(index: Index, taken: Collection[str] = ()) -> IndexPicture:
    """Return the picture of *index*, under a name that is not *taken*."""
    options = {name: value for name, value in index.options.items() if name != "name"}
    return IndexPicture(name=free_name(index.name, taken), keys=index.keys, options=options)


def free_name(name: str, taken: Collection[str]) -> str:
    """Return *name*, or if that is *taken* one that begins with it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def rename_path(index: IndexPicture, old: str, new: str, taken: Collection[str]) -> IndexPicture:
    """Return *index* after the field *old* was renamed to *new*."""
    keys = tuple((_renamed(path, old, new), kind) for path, kind in index.keys)
    options = dict(index.options)
    if index.partial_filter:
        options["partialFilterExpression"] = {
            _renamed(path, old, new): rule for path, rule in index.partial_filter.items()
        }
    usual = "_".join(f"{path}_{kind}" for path, kind in keys)
    was_usual = index.name == "_".join(f"{path}_{kind}" for path, kind in index.keys)
    name = free_name(usual if was_usual else index.name, set(taken) - {index.name})
    return IndexPicture(name=name, keys=keys, options=options)


def concerns(index: IndexPicture, field: str) -> bool:
    """Return whether *index* is on *field*, or on the documents that have something there, and can be made anew."""
    return "textIndexVersion" not in index.options and any(
        path == field or path.startswith(f"{field}.") for path in (*index.paths, *index.partial_filter)
    )


def _renamed(path: str, old: str, new: str) -> str:
    return new if path == old else f"{new}{path[len(old) :]}" if path.startswith(f"{old}.") else path


def _is_in_the_way(stored: IndexPicture, declared: DeclaredCollection) -> bool:
    """Return whether a unique index keeps the program from storing what it may store.

    It is on the fields of a wanted one and covers other documents, such as those with nulls; or it is on fields that
    the class lacks, so that one document without them is all that it lets through.
    """
    if not stored.unique:
        return False
    if any(dict(stored.keys) == dict.fromkeys(index.paths, 1) for index in declared.indexes if index.unique):
        return True
    takes_missing = not stored.partial_filter and not stored.options.get("sparse", False)
    return takes_missing and not any(path.partition(".")[0] in declared.fields for path in stored.paths)
