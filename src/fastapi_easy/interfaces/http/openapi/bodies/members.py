"""The JSON Schema of one field in bodies and answers: asked of pydantic once for all fields that are alike."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields as members_of
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from fastapi_easy.domain import Field
from fastapi_easy.interfaces.http.openapi.documents import Document

_REFERENCE: Final = "#/components/schemas/{model}"

# What says nothing about the schema: two fields that differ in these alone share one.
_UNSEEN: Final = frozenset(
    {"name", "alias", "by_name", "description", "default", "default_factory", "store_default", "unique"}
    | {"update_default", "filled_by_rule", "generated", "computed"}
)
_SEEN: Final = tuple(each.name for each in members_of(Field) if each.name not in _UNSEEN)


class Members:
    """The schemas of fields and classes of one document.

    Asked for first, all of them, and made together, so that classes of the same name get names of their own.

    Attributes:
        definitions: The schemas of classes that others refer to, by name; from `generate` on.
    """

    def __init__(self) -> None:
        self._types: dict[tuple[Hashable, JsonSchemaMode], TypeAdapter[Any]] = {}
        self._schemas: Mapping[tuple[Hashable, JsonSchemaMode], Document] = {}
        self.definitions: dict[str, Document] = {}

    def ask_for_field(self, field: Field, mode: JsonSchemaMode, annotation: Callable[[], Any]) -> Hashable:
        """Note that the schema of *field* will be needed, and return the key for `schema`.

        Args:
            field: The field.

            mode: `validation` for what callers send, `serialization` for what they get.

            annotation: Returns its type; called where no field like it was asked for.
        """
        key: Hashable = tuple(getattr(field, name) for name in _SEEN)
        try:
            is_known = (key, mode) in self._types
        except TypeError:
            # A rule of the user's without a hash is like no other.
            key, is_known = id(field), False
        if not is_known:
            self._types[key, mode] = TypeAdapter(annotation())
        return key

    def ask_for_class(self, name: str, mode: JsonSchemaMode, cls: type[Any]) -> None:
        """Note that the schema of *cls* will be needed, and that `schema` will be asked for it by *name*."""
        self._types[name, mode] = TypeAdapter(cls)

    def generate(self) -> None:
        """Make all that was asked for."""
        self._schemas, rest = TypeAdapter.json_schemas(
            [(key, mode, adapter) for (key, mode), adapter in self._types.items()],
            ref_template=_REFERENCE,
            schema_generator=_Generator,
        )
        self.definitions = dict(rest.get("$defs", {}))

    def schema(self, key: Hashable, mode: JsonSchemaMode) -> Document:
        """Return what was asked for by *key*; the same object each time."""
        return self._schemas[key, mode]


class _Generator(GenerateJsonSchema):
    """pydantic's own, without warnings about defaults it cannot write, and without titles that repeat names."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 (as pydantic declares it)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return that no field gets its own name as a title."""
        del schema
        return False
