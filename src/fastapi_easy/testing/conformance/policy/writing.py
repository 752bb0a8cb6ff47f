"""The questions that change something: in pairs about a hidden entity and a missing one, or each by itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.testing.conformance.policy.questions import Question
from fastapi_easy.testing.conformance.policy.reading import Pair

Json = Mapping[str, Any]


def change_pairs(
    resource: Resource[Any], key: Key, missing: Key, values: Json, version: str | None
) -> Iterator[Pair]:
    """Yield changes of the hidden *key*, each beside one of the *missing* key.

    Args:
        resource: The resource.

        key: Of an entity that the caller may not see.

        missing: That of no entity.

        values: Valid values for a new entity.

        version: The version of the hidden entity.
    """

    def pair(operation: str, about: str = "", **more: Any) -> Pair:
        hidden, nothing = (
            Question(operation=operation, key=each, about=about, **more) for each in (key, missing)
        )
        return hidden, nothing

    def in_bulk(kind: str, about: Json | None, *, atomic: bool = False) -> Pair:
        hidden, nothing = (
            Question(
                operation=Operation.BULK,
                items=[(kind, each, about)],
                atomic=atomic,
                about=f"{kind}, {'all or none' if atomic else 'each by itself'}",
                needs=(kind,),
            )
            for each in (key, missing)
        )
        return hidden, nothing

    changes = {name: values[name] for name in resource.changeable if name in values}
    some = dict(list(changes.items())[:1])
    whole = {name: value for name, value in values.items() if name in resource.changeable}
    based = {"version": version or "1"} if resource.requires_version else {}
    if some:
        yield pair(Operation.UPDATE, values=some, dry_run=True, about="a dry run", **based)
        yield pair(Operation.UPDATE, values=some, **based)
        yield in_bulk("update", some)
        yield in_bulk("update", some, atomic=True)
        if version is not None:
            yield pair(Operation.UPDATE, "If-Match", values=some, version=version)
    yield pair(Operation.UPDATE, "no values", values={}, **based)
    yield pair(Operation.REPLACE, values=whole, **based)
    yield pair(Operation.DELETE, dry_run=True, about="a dry run", **based)
    yield in_bulk("delete", None)
    yield in_bulk("delete", None, atomic=True)
    if version is not None:
        yield pair(Operation.DELETE, "If-Match", version=version)
    yield pair(Operation.DELETE, **based)


def deleted_pairs(operation: Operation, key: Key, missing: Key) -> Iterator[Pair]:
    """Yield a read and *operation* on the deleted entity with the hidden *key*, each beside the *missing* key."""
    for each in (Operation.GET, operation):
        hidden, nothing = (
            Question(operation=each, key=place, about="a deleted one") for place in (key, missing)
        )
        yield hidden, nothing


def action_pairs(name: str, key: Key, missing: Key, values: Json, version: str | None) -> Iterator[Pair]:
    """Yield the action *name* on the hidden *key*, beside the *missing* key."""
    versions = [None] if version is None else [None, version]
    for each in versions:
        about = "" if each is None else "If-Match"
        hidden, nothing = (
            Question(operation=name, key=place, values=values, version=each, about=about)
            for place in (key, missing)
        )
        yield hidden, nothing


def where_pairs(name: str, hidden: Any, absent: Any, values: Json) -> Iterator[Pair]:
    """Yield changes of all that have the *hidden* value in the field *name*, beside the value *absent*."""
    for kind, given in (("update_where", values), ("delete_where", None)):
        if kind == "update_where" and not values:
            continue
        one, other = (
            Question(
                operation=Operation.BULK,
                items=[(kind, {name: value}, given)],
                about=kind,
                needs=(kind.removesuffix("_where"),),
            )
            for value in (hidden, absent)
        )
        yield one, other


def creations(resource: Resource[Any], values: Sequence[Json], about: str) -> Iterator[Question]:
    """Yield every way to make an entity, each with others of *values*; there are at least six."""
    yield Question(operation=Operation.CREATE, values=values[0], about=about)
    yield Question(
        operation=Operation.CREATE, values=values[1], dry_run=True, about=f"{about} a dry run".strip()
    )
    for number, atomic in ((2, True), (3, False)):
        items = [("create", None, values[number])]
        yield Question(
            operation=Operation.BULK, items=items, atomic=atomic, about=f"create {about}", needs=("create",)
        )
    yield Question(operation=Operation.IMPORT, lines=[values[4]], about=about, needs=("create",))
    if resource.upsert_by:
        yield Question(operation=Operation.UPSERT, values=values[5], about=about, needs=("create",))


def overwrites(resource: Resource[Any], values: Json, key: Mapping[str, Any]) -> Iterator[Question]:
    """Yield every way to write over a hidden entity by what identifies it, and not by its path.

    Args:
        resource: The resource.

        values: Valid values that have those of the hidden entity in what an upsert goes by.

        key: The key of the hidden entity, by field.
    """
    if resource.upsert_by:
        yield Question(
            operation=Operation.UPSERT, values=values, about="the same unique values", needs=("update",)
        )
        items = [("upsert", None, values)]
        yield Question(
            operation=Operation.BULK, items=items, about="upsert, the same unique values", needs=("update",)
        )
        yield Question(
            operation=Operation.IMPORT,
            lines=[values],
            params={"upsert": True},
            about="upsert, the same unique values",
            needs=("update",),
        )
    yield Question(
        operation=Operation.IMPORT,
        lines=[{**values, **key}],
        params={"mode": "restore"},
        about="restore, the same key",
    )
