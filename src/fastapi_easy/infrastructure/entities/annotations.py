"""What annotations are made of, and that of one attribute of a class, whatever the others say."""

import dataclasses
import sys
import types
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict, is_typeddict

CONTAINERS: Final = frozenset({list, dict, set, tuple, frozenset, Mapping, Sequence, Collection, AbstractSet})
"""What holds values of the types in its brackets."""

UNIONS: Final = frozenset({typing.Union, types.UnionType})
"""The origins of unions."""

QUALIFIERS: Final = frozenset({typing.Annotated, typing.Required, typing.NotRequired})
"""The origins of what says something more of the type that is its first argument."""

_typed_dict: Any = TypedDict  # mypy wants literals


def annotation_of(cls: type[Any], name: str) -> Any:
    """Return the annotation of the attribute *name* of *cls*, evaluated; `Any` where there is none, or none to read.

    Unlike `typing.get_type_hints` it does not fail where other attributes name classes that are not there at run time.
    """
    try:
        return _evaluated(cls, name)
    except (NameError, TypeError, SyntaxError, AttributeError):
        return Any


def unreadable_annotation(cls: type[Any], name: str) -> str | None:
    """Return why nothing is known of the values of the attribute *name* of *cls*, and what to do; else `None`.

    Its annotation names a class that is local to a function, or imported for type checkers only.
    """
    info: FieldInfo | None = getattr(cls, "__pydantic_fields__", {}).get(name)
    if info is not None and not any(
        isinstance(each, str | typing.ForwardRef) for each in parts_of(info.annotation)
    ):
        # Pydantic saw the names where the class was made.
        return None
    try:
        _evaluated(cls, name)
    except NameError:
        return (
            f"{cls.__name__}.{name} is annotated as {_given(cls, name)[1]!s}, which names what cannot be found at run"
            " time; import or define it at module level, or annotate the attribute with Any"
        )
    except (TypeError, SyntaxError, AttributeError):
        return None
    return None


def _evaluated(cls: type[Any], name: str) -> Any:
    owner, given = _given(cls, name)
    holder = types.SimpleNamespace(__annotations__={name: given})
    scope = {**vars(sys.modules.get(owner.__module__, typing)), cls.__name__: cls}
    return typing.get_type_hints(holder, scope, include_extras=True)[name]


def _given(cls: type[Any], name: str) -> tuple[type[Any], Any]:
    """Return the class that annotates the attribute *name* of *cls*, and how."""
    for each in cls.__mro__:
        given = vars(each).get("__annotations__", {})
        if name in given:
            return each, given[name]
    return cls, Any


def without_none(annotation: Any) -> Any:
    """Return *annotation* without `None` and without `Annotated` around it."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in UNIONS and types.NoneType in typing.get_args(annotation):
            others = tuple(each for each in typing.get_args(annotation) if each is not types.NoneType)
            annotation = typing.Union[others]  # noqa: UP007 (made from a tuple)
        else:
            return annotation


def pydantic_metadata(annotation: Any) -> tuple[Any, ...]:
    """Return what pydantic reads of the metadata of *annotation*, the innermost first."""
    metadata: tuple[Any, ...] = ()
    while True:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is typing.Annotated:
            metadata = (*filter(_is_for_pydantic, arguments[1:]), *metadata)
            annotation = arguments[0]
        elif (
            origin in UNIONS
            and len(others := [each for each in arguments if each is not types.NoneType]) == 1
        ):
            annotation = others[0]
        else:
            return metadata


def _is_for_pydantic(metadata: object) -> bool:
    return (
        type(metadata).__module__ == "annotated_types"
        or isinstance(metadata, FieldInfo)
        or hasattr(type(metadata), "__get_pydantic_core_schema__")
    )


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
    if origin in UNIONS:
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
    annotation = without_name(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        yield from dict.fromkeys(type(each) for each in arguments)
    elif origin in QUALIFIERS:
        yield from parts_of(arguments[0], seen)
        yield from arguments[1:]
    elif origin in UNIONS or origin in CONTAINERS:
        if origin in CONTAINERS:
            yield origin
        for each in arguments:
            if each is not Ellipsis:
                yield from parts_of(each, seen)
    else:
        yield annotation
        for member in _members(annotation):
            yield from parts_of(member, (*seen, annotation))


def without_name(annotation: Any) -> Any:
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
