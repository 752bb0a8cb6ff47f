"""What a class, or a column type of the user's, says about the Python type of its values."""

import types
import typing
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy.orm import Mapped
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from fastapi_easy.infrastructure.entities import annotations
from fastapi_easy.infrastructure.relational.column_types import ColumnType

_LIBRARIES: Final = ("sqlalchemy.", "sqlmodel.")
_UNIONS: Final = frozenset({typing.Union, types.UnionType})


def annotation_of(entity: type[object], name: str) -> Any:
    """Return how *entity* annotates the values of its attribute *name*; `None` when it does not."""
    annotation = _without_wrappers(annotations.annotation_of(entity, name))
    return annotation if _is_value_type(annotation) else None


def annotations_of_type(declared: ColumnType) -> Iterator[Any]:
    """Yield what the column type *declared* says of the values that it gives, which need not be true."""
    yield from filter(_is_value_type, _said_by(declared))


def _said_by(declared: ColumnType) -> Iterator[Any]:
    own = [each for each in type(declared).__mro__ if not each.__module__.startswith(_LIBRARIES)]
    if any("python_type" in vars(each) for each in own):
        yield _python_type(declared)
    for each in own:
        if (method := vars(each).get("process_result_value")) is not None:
            yield _without_wrappers(_returned(method))
        for base in vars(each).get("__orig_bases__", ()):
            if typing.get_origin(base) in {TypeDecorator, UserDefinedType, TypeEngine}:
                yield _without_wrappers(typing.get_args(base)[0])


def _python_type(declared: ColumnType) -> Any:
    try:
        return declared.python_type
    except NotImplementedError:
        return None


def _returned(method: Any) -> Any:
    try:
        return typing.get_type_hints(method, include_extras=True).get("return")
    except (NameError, TypeError, SyntaxError, AttributeError):
        return None


def _without_wrappers(annotation: Any) -> Any:
    """Return *annotation* without `Mapped` and `Optional`."""
    while True:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Mapped:
            annotation = arguments[0]
        elif origin in _UNIONS:
            others = [each for each in arguments if each is not types.NoneType]
            if len(others) != 1:
                return annotation
            annotation = others[0]
        elif origin is typing.Annotated and typing.get_origin(arguments[0]) in _UNIONS:
            annotation = arguments[0]
        else:
            return annotation


def _is_value_type(annotation: Any) -> bool:
    """Return whether *annotation* means a type of values: not everything, and not the column type itself."""
    if any(annotation is each for each in (None, types.NoneType, Any, object)):
        return False
    if isinstance(annotation, TypeEngine | typing.TypeVar | typing.ForwardRef):
        return False
    return not (isinstance(annotation, type) and issubclass(annotation, TypeEngine))
