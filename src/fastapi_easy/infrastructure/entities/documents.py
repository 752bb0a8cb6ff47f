"""What an annotation says of the documents in a JSON field: `list[str]`, `list[Model]`, a `TypedDict`, a union."""

import dataclasses
import datetime
import decimal
import enum
import functools
import types
import typing
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from pydantic import BaseModel, GetCoreSchemaHandler, PydanticUserError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    PydanticSerializationError,
    core_schema,
    to_json,
    to_jsonable_python,
)
from typing_extensions import is_typeddict

from fastapi_easy.domain.field import PYTHON_TYPES, UNSET, Field, Kind
from fastapi_easy.infrastructure.entities.annotations import (
    parts_of,
    pydantic_metadata,
    readable,
    without_none,
)

_OWN_TYPES: Final = frozenset(
    {str, int, float, bool, types.NoneType, Any, object, dict, list, Mapping, Sequence, Collection}
)
"""What a value is in JSON already, so that there is nothing to convert."""

_SPELLED_TYPES: Final = frozenset(
    {
        decimal.Decimal,
        datetime.datetime,
        datetime.date,
        datetime.time,
        datetime.timedelta,
        uuid.UUID,
        bytes,
        set,
        tuple,
        frozenset,
        AbstractSet,
    }
)
"""What JSON has a spelling for."""

_FREE: Final = frozenset({Any, object, dict, list})
_ARRAYS: Final = frozenset({list, set, frozenset, tuple, Sequence, Collection})
_KINDS_OF_JSON: Final = frozenset({Kind.TEXT, Kind.INTEGER, Kind.FLOAT, Kind.BOOLEAN})
"""The kinds of items whose values are those of JSON, so that a document type reads them."""


class DocumentType:
    """Annotation metadata for a JSON field: its documents are what *annotation* allows, in plain JSON.

    A document is read as pydantic reads strict JSON, and becomes the plain JSON of what was read: with the defaults of
    nested models, called by their aliases. Members that a nested class does not know are refused, unless one of the
    classes says itself what becomes of them (`extra`).

    Args:
        annotation: What the documents are; without `Annotated`, and without `None` where the field is nullable.
    """

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        self._is_own_json = all(_is_own_json(each) for each in parts_of(annotation))
        configs = [_config(each) for each in parts_of(annotation)]
        self._strict = None if any("strict" in each for each in configs) else True
        self._extra: typing.Literal["forbid"] | None = (
            None if any("extra" in each for each in configs) else "forbid"
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read documents by this type, describe them by it, and write what is stored as it is."""
        return core_schema.no_info_wrap_validator_function(
            lambda document, _: self.read(document),
            handler.generate_schema(self.annotation),
            serialization=core_schema.simple_ser_schema("any"),
        )

    def __repr__(self) -> str:
        return f"DocumentType({self.annotation!r})"

    def read(self, document: object) -> object:
        """Return *document* as it is to be stored; `None` passes, which is for the field to allow.

        Raises:
            ValidationError: It is not what the annotation allows.
        """
        if document is None:
            return None
        try:
            if self._is_own_json:
                return self._adapter.validate_python(document, strict=self._strict, extra=self._extra)
            return self.to_json(self._to_python(document))
        except ValidationError as error:
            raise _without_branches(error, document) from None

    def fits(self, document: object) -> bool:
        """Return whether *document* is what the annotation allows, with more members perhaps, as is usual of JSON."""
        extra: typing.Literal["ignore"] | None = None if self._extra is None else "ignore"
        try:
            _ = self._adapter.validate_json(to_json(document), strict=self._strict, extra=extra)
        except ValidationError:
            return False
        return True

    def to_python(self, document: object) -> object:
        """Return *document* as the class has it, with instances of its own classes, or as it is if it does not fit."""
        if document is None or self._is_own_json:
            return document
        try:
            return self._to_python(document)
        except (ValidationError, PydanticSerializationError):
            return document

    def to_json(self, value: object) -> object:
        """Return the plain JSON of *value*, which a program made: with aliases, without computed fields."""
        if self._is_own_json:
            return value
        try:
            return self._adapter.dump_python(
                value, mode="json", by_alias=True, round_trip=True, warnings="error"
            )
        except PydanticSerializationError:
            # Not what was announced: whoever stores it says what is wrong with it.
            return value

    def _to_python(self, document: object) -> object:
        return self._adapter.validate_json(to_json(document), strict=self._strict, extra=self._extra)


@dataclasses.dataclass(frozen=True, slots=True)
class InstancesAsJson:
    """Annotation metadata: instances of classes that a document may be made of become the JSON they stand for."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Convert them before everything else that is said of the field."""
        return core_schema.no_info_before_validator_function(_without_instances, handler(source))


def document_type(annotation: Any) -> DocumentType | None:
    """Return what *annotation* says of the documents of a JSON field; `None` when they may be anything.

    `None` too for what pydantic cannot read, and for classes that JSON has no form for.
    """
    if annotation in _FREE or not is_document(annotation) or _is_free(annotation):
        return None
    try:
        return DocumentType(readable(annotation))
    except (PydanticUserError, TypeError, NameError):
        return None


def is_document(annotation: Any) -> bool:
    """Return whether JSON has a form for every value that *annotation* allows."""
    return all(_is_own_json(each) or _has_spelling(each) for each in parts_of(annotation))


def with_document(field: Field, annotation: Any) -> Field:
    """Return *field* with what *annotation* says of its documents; its defaults as plain JSON."""
    if field.kind is not Kind.JSON or (found := document_type(annotation)) is None:
        return field
    factory = field.default_factory
    return dataclasses.replace(
        field,
        document=found,
        default=field.default if field.default is UNSET else found.to_json(field.default),
        default_factory=None if factory is None else _json_factory(found, factory),
    )


def with_items(field: Field, annotation: Any) -> Field:
    """Return *field*, an array, with what *annotation*, `list[…]`, says of each item besides its kind."""
    plain = without_none(annotation)
    arguments = typing.get_args(plain)
    if field.kind is not Kind.ARRAY or typing.get_origin(plain) not in _ARRAYS or not arguments:
        return field
    found = without_none(arguments[0])
    rules, bounds = pydantic_metadata(arguments[0]), field.item_rules
    if field.item in _KINDS_OF_JSON and found is not PYTHON_TYPES[field.item]:
        document = document_type(found)
        # In front of the bounds of the column: it reads the item.
        bounds = bounds if document is None else (document, *bounds)
    return dataclasses.replace(
        field, rules=(*field.rules, *pydantic_metadata(annotation)), item_rules=(*bounds, *rules)
    )


def _json_factory(document: DocumentType, factory: Callable[[], Any]) -> Callable[[], Any]:
    # Wrapped, so that a store can see whether it is `list` or makes another value each time.
    @functools.wraps(factory, assigned=(), updated=())
    def make() -> Any:
        return document.to_json(factory())

    return make


def _is_free(annotation: Any) -> bool:
    arguments = typing.get_args(annotation)
    if not arguments:
        return typing.get_origin(annotation) in {dict, list}
    return (
        typing.get_origin(annotation) in {dict, list}
        and arguments[-1] in {Any, object}
        and (len(arguments) == 1 or arguments[0] in {str, Any, object})
    )


def _is_own_json(part: Any) -> bool:
    if isinstance(part, FieldInfo):
        return all(_is_own_json(each) for each in part.metadata)
    return _is_hashable(part) and (
        part in _OWN_TYPES or type(part).__module__ == "annotated_types" or is_typeddict(part)
    )


def _has_spelling(part: Any) -> bool:
    if not isinstance(part, type):
        # Metadata, of which pydantic has the last word.
        return hasattr(type(part), "__get_pydantic_core_schema__") or isinstance(part, FieldInfo)
    return (
        part in _SPELLED_TYPES
        or issubclass(part, BaseModel | enum.Enum)
        or dataclasses.is_dataclass(part)
        or (hasattr(part, "__get_pydantic_core_schema__") and part.__module__.startswith("pydantic"))
    )


def _is_hashable(part: object) -> bool:
    # A class is, whatever it says of its instances.
    return isinstance(part, type) or getattr(part, "__hash__", None) is not None


def _config(part: Any) -> Mapping[str, Any]:
    found = getattr(part, "model_config", None) or getattr(part, "__pydantic_config__", None)
    return found if isinstance(found, dict) else {}


def _without_instances(value: Any) -> Any:
    """Return *value* with plain JSON in place of instances of classes; what has none stays as it is."""
    if isinstance(value, dict):
        return {name: _without_instances(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_instances(item) for item in value]
    is_instance = isinstance(value, BaseModel | set | frozenset) or (
        dataclasses.is_dataclass(value) and not isinstance(value, type)
    )
    if is_instance or type(value) in _SPELLED_TYPES - {decimal.Decimal} or isinstance(value, enum.Enum):
        try:
            return to_jsonable_python(value, by_alias=True)
        except PydanticSerializationError:
            return value
    return value


def _without_branches(error: ValidationError, document: object) -> ValidationError:
    """Return *error* whose places lead into *document*: pydantic names the branches of unions among them."""
    details = [
        InitErrorDetails(
            # Braces would be taken for placeholders.
            type=PydanticCustomError(each["type"], each["msg"].replace("{", "(").replace("}", ")")),
            loc=tuple(_place(each["loc"], each["type"], document)),
            input=None,
        )
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return ValidationError.from_exception_data(error.title, details)


def _place(location: tuple[int | str, ...], code: str, document: Any) -> Iterator[int | str]:
    for number, part in enumerate(location):
        is_member = isinstance(document, dict) and (
            part in document or (code == "missing" and number == len(location) - 1)
        )
        is_item = isinstance(document, list) and isinstance(part, int) and part < len(document)
        if is_member or is_item:
            yield part
            document = document.get(part) if isinstance(document, dict) else document[int(part)]
