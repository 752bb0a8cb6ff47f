"""Redaction of what user code returns: fields that the caller may not read are removed."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi_easy.application.access import Access
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.resources.resource import Resource

E = TypeVar("E")


def redact(
    answer: object, resource: Resource[object], access: Access, resources: Iterable[Resource[object]] = ()
) -> Any:
    """Return *answer* with every row and entity in it, at any depth, reduced to what the caller may read.

    Args:
        answer: A row, an entity, or anything that holds some: lists, mappings, dataclasses.

        resource: The resource whose rows are looked for first.

        access: The permissions of the caller.

        resources: The other resources whose rows and entities there may be.
    """
    return _Redactor(access, (resource, *(each for each in resources if each is not resource)))(answer)


class _Redactor:
    """Walks an answer of any shape; the first of *resources* that a value may belong to decides what is shown of it."""

    def __init__(self, access: Access, resources: Sequence[Resource[object]]) -> None:
        self._access = access
        self._resources = resources

    def __call__(self, answer: object) -> object:
        owner = next((each for each in self._resources if type(answer) in {each.entity, each.stored}), None)
        if owner is not None:
            names = [name for name in self._access.readable(owner) if hasattr(answer, name)]
            return Row({name: getattr(answer, name) for name in names})
        if isinstance(answer, Mapping):
            return self._mapping(answer)
        if isinstance(answer, list | tuple | set | frozenset):
            return [self(each) for each in answer]
        if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
            return {each.name: self(getattr(answer, each.name)) for each in dataclasses.fields(answer)}
        return answer

    def _mapping(self, answer: Mapping[Any, object]) -> object:
        owner = next((each for each in self._resources if _may_be_of(each, answer)), None)
        if owner is None:
            return {name: self(value) for name, value in answer.items()}
        if answer.keys() >= set(owner.readable):
            extra = {name: self(value) for name, value in answer.items() if name not in owner.fields}
            row = self._access.visible_row(owner, Row(answer))
            return row if not extra else Row({**row, **extra})
        hidden = owner.fields.keys() - set(self._access.readable(owner))
        return Row({name: self(value) for name, value in answer.items() if name not in hidden})


def _may_be_of(resource: Resource[object], values: Mapping[Any, Any]) -> bool:
    """Return whether *values* are an entity of *resource*, or a row with some of its fields."""
    # A mapping of the user's own that merely shares some names with the resource is none of its entities.
    if values.keys() >= resource.fields.keys() or values.keys() >= set(resource.readable):
        return True
    return isinstance(values, Row) and values.keys() <= resource.fields.keys()
