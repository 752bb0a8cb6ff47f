"""What annotations are made of, and that of one attribute of a class, whatever the others say."""

import dataclasses
import sys
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from pydantic import BaseModel
from typing_extensions import TypedDict, is_typeddict

CONTAINERS: Final = frozenset({list, dict, set, tuple, frozenset, Mapping, Sequence, Collection, AbstractSet})
"""What holds values of the types in its brackets."""

_UNIONS: Final = frozenset({typing.Union, types.UnionType})
_QUALIFIERS: Final = frozenset({typing.Annotated, typing.Required, typing.NotRequired})
_typed_dict: Any = TypedDict  # mypy wants literals


def annotation_of(cls: type[Any], name: str) -> Any:
    """Return the annotation of the attribute *name* of *cls*, evaluated; `Any` where there is none, or none to read.

    Unlike `typing.get_type_hints` it does not fail where other attributes name classes that are not there at run time.
    """
    for each in cls.__mro__:
        given = vars(each).get("__annotations__", {})
        if name not in given:
            continue
        holder = types.SimpleNamespace(__annotations__={name: given[name]})
        scope = {**vars(sys.modules.get(each.__module__, typing)), cls.__name__: cls}
        try:
            return typing.get_type_hints(holder, scope, include_extras=True)[name]
        except (NameError, TypeError, SyntaxError, AttributeError):
            return Any
    return Any


def without_none(annotation: Any) -> Any:
    """Return *annotation* without `None` and without `Annotated` around it."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in _UNIONS and types.NoneType in typing.get_args(annotation):
            others = tuple(each for each in typing.get_args(annotation) if each is not types.NoneType)
            annotation = typing.Union[others]  # noqa: UP007 (made from a tuple)
        else:
            return annotation


def readable(annotation: Any) -> Any:
    """Return *annotation* with typed dictionaries that pydantic reads; before Python 3.12 it reads none of `typing`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if is_typeddict(annotation) and type(annotation).__module__ == "typing" and sys.version_info < (3, 12):
        hints = typing.get_type_hints(annotation, include_extras=True)
        required = annotation.__required_keys__
        members = {
            name: (typing.Required if name in required else typing.NotRequired)[readable(_unqualified(hint))]
            for name, hint in hints.items()
        }
        return _typed_dict(annotation.__name__, members)
    if origin in _UNIONS:
        return typing.Union[tuple(map(readable, arguments))]  # noqa: UP007 (made from a tuple)
    if origin in CONTAINERS:
        return origin[tuple(map(readable, arguments))]
    if origin is typing.Annotated:
        return typing.Annotated[(readable(arguments[0]), *arguments[1:])]
    return annotation


def _unqualified(hint: Any) -> Any:
    is_qualified = typing.get_origin(hint) in {typing.Required, typing.NotRequired}
    return typing.get_args(hint)[0] if is_qualified else hint


def parts_of(annotation: Any, seen: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield the types and classes that *annotation* is made of, and the metadata in it."""
    if any(annotation is each for each in seen):
        return
    annotation = _without_name(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        yield from dict.fromkeys(type(each) for each in arguments)
    elif origin in _QUALIFIERS:
        yield from parts_of(arguments[0], seen)
        yield from arguments[1:]
    elif origin in _UNIONS or origin in CONTAINERS:
        if origin in CONTAINERS:
            yield origin
        for each in arguments:
            if each is not Ellipsis:
                yield from parts_of(each, seen)
    else:
        yield annotation
        for member in _members(annotation):
            yield from parts_of(member, (*seen, annotation))


def _without_name(annotation: Any) -> Any:
    """Return what *annotation* is a name for: a `NewType`, or an alias made by `type`."""
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__
    return annotation.__value__ if type(annotation).__name__ == "TypeAliasType" else annotation


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the annotations of the members of the class *annotation*."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for info in annotation.model_fields.values():
            yield info.annotation
    elif is_typeddict(annotation) or (isinstance(annotation, type) and dataclasses.is_dataclass(annotation)):
        try:
            yield from typing.get_type_hints(annotation, include_extras=True).values()
        except (NameError, TypeError):
            return
