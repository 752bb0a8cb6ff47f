"""The places in the documents of a JSON field, and what its annotation says of each."""

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from typing_extensions import is_typeddict

from fastapi_easy.infrastructure.entities.annotations import CONTAINERS, QUALIFIERS, UNIONS, without_name

_MAPPINGS: Final = frozenset({dict, Mapping})


class Place:
    """One place in a document.

    Places further inside are made when they are asked for, since a class may contain itself.

    Args:
        annotations: What may be there: the branches of a union, also those of different classes.

    Attributes:
        scalars: The classes of the single values that may be there.

        is_free: Whether anything may be there.
    """

    def __init__(self, annotations: Iterable[Any]) -> None:
        branches = [each for annotation in annotations for each in _branches(annotation)]
        self.scalars = frozenset(
            each for each in branches if isinstance(each, type) and not _is_compound(each)
        )
        self.is_free = not branches or any(each in {Any, object, dict, list} for each in branches)
        self._branches = branches
        self._members: dict[str, Place] = {}
        self._item: Place | None = None

    def member(self, name: str) -> "Place":
        """Return the place of the member *name*."""
        found = self._members.get(name)
        if found is None:
            found = Place(each for branch in self._branches for each in _annotations_of_member(branch, name))
            if any(_has_member(branch, name) for branch in self._branches):
                # Any other name may be one of an endless number.
                self._members[name] = found
        return found

    @property
    def item(self) -> "Place":
        """The place of the items of a list."""
        if self._item is None:
            self._item = Place(each for branch in self._branches for each in _annotations_of_items(branch))
        return self._item


def _branches(annotation: Any) -> Iterator[Any]:
    annotation = without_name(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in QUALIFIERS:
        yield from _branches(arguments[0])
    elif origin in UNIONS:
        for each in arguments:
            yield from _branches(each)
    elif origin is typing.Literal:
        yield from dict.fromkeys(type(each) for each in arguments)
    elif annotation is not types.NoneType:
        yield annotation


def _is_compound(branch: type[Any]) -> bool:
    return issubclass(branch, BaseModel) or is_typeddict(branch) or dataclasses.is_dataclass(branch)


def _has_member(branch: Any, name: str) -> bool:
    return name in _members(branch)


def _annotations_of_member(branch: Any, name: str) -> Iterator[Any]:
    if typing.get_origin(branch) in _MAPPINGS:
        yield typing.get_args(branch)[-1]
    elif name in (members := _members(branch)):
        yield members[name]


def _annotations_of_items(branch: Any) -> Iterator[Any]:
    origin = typing.get_origin(branch)
    if origin in CONTAINERS - _MAPPINGS:
        yield from (each for each in typing.get_args(branch) if each is not Ellipsis)


def _members(branch: Any) -> Mapping[str, Any]:
    """Return the annotations of the members of a class, by every name that a document may call them by."""
    if isinstance(branch, type) and issubclass(branch, BaseModel):
        return {
            word: info.annotation
            for name, info in branch.model_fields.items()
            for word in (name, info.alias, info.serialization_alias)
            if word is not None
        }
    if is_typeddict(branch) or (isinstance(branch, type) and dataclasses.is_dataclass(branch)):
        try:
            return typing.get_type_hints(branch, include_extras=True)
        except (NameError, TypeError):
            return {}
    return {}
