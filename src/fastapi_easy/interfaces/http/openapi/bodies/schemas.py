"""The schemas of bodies and entities of all resources."""

from collections.abc import Hashable, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from fastapi_easy.domain import UNSET, Field, Kind, Operation
from fastapi_easy.domain.resources.addressable_keys import NOT_ADDRESSABLE, text_key_of
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.kind_format import JsonForm
from fastapi_easy.interfaces.formats.output_types import output_type
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.bodies.examples import example_of
from fastapi_easy.interfaces.http.openapi.bodies.members import Members
from fastapi_easy.interfaces.http.openapi.documents import Document

_CREATED = frozenset({Operation.CREATE, Operation.UPSERT, Operation.IMPORT})


class BodySchemas:
    """The schemas of entities, bodies and actions of *http_resources*, by name.

    Attributes:
        schemas: All of them.

        names: Their names, by the name of the resource and the purpose: `Create`, `Replace`, `Update`, the class of an
            action, and nothing for the entity. A class of the user's has its own name, and a replace that takes what a
            create takes that of the create: a schema that is only a reference stops generators of clients.
    """

    def __init__(self, http_resources: Sequence[HttpResource]) -> None:
        members = Members()
        asked = [_Asked(each, members) for each in http_resources]
        members.generate()
        self.schemas: dict[str, Document] = dict(members.definitions)
        self.names: dict[str, dict[str, str]] = {}
        for each in asked:
            self.names[each.resource.name] = each.add_to(self.schemas)


class _Asked:
    """What one resource has asked *members* for."""

    def __init__(self, http_resource: HttpResource, members: Members) -> None:
        # Fields go by the names that programs use; the document says their aliases.
        self.resource = http_resource.use_cases.resource
        self._documented = http_resource.resource
        self._name = http_resource.names.schema
        self._members = members
        self._keys: dict[tuple[str, JsonSchemaMode], Hashable] = {}
        self._classes: list[tuple[str, JsonSchemaMode]] = []
        offered, own = self.resource.operations, self.resource.schemas
        validator = http_resource.use_cases.validator()
        self._purposes = {
            "Create": bool(offered & _CREATED),
            "Replace": Operation.REPLACE in offered,
            "Update": Operation.UPDATE in offered,
        }
        if own.read is not None:
            self._ask_for_class(self._name, "serialization", own.read)
        else:
            for name in self.resource.readable:
                field = self.resource.fields[name]
                self._ask_for(field, "serialization", lambda field=field: output_type(field))
        for purpose, is_offered in self._purposes.items():
            cls = own.update if purpose == "Update" else own.create
            if is_offered and cls is not None:
                self._ask_for_class(f"{self._name}{purpose}", "validation", cls)
            elif is_offered:
                for name in self._fields_of(purpose):
                    self._ask_for(
                        self.resource.fields[name], "validation", lambda name=name: validator.member(name)
                    )
        for action in (self.resource.actions or {}).values():
            self._ask_for_class(f"{self._name}{action.__name__}", "validation", action)

    def add_to(self, schemas: dict[str, Document]) -> dict[str, str]:
        """Add the schemas to *schemas*, and return the names of all by purpose."""
        names = {
            name.removeprefix(self._name): self._add_class(name, mode, schemas)
            for name, mode in self._classes
        }
        for action in (self.resource.actions or {}).values():
            schemas[names[action.__name__]]["additionalProperties"] = False
        if self.resource.schemas.read is None:
            schemas[self._name] = self._entity()
        _ = names.setdefault("", self._name)
        for purpose, is_offered in self._purposes.items():
            if is_offered and purpose not in names:
                names[purpose] = self._add_body(purpose, schemas)
        return names

    def _add_class(self, name: str, mode: JsonSchemaMode, schemas: dict[str, Document]) -> str:
        """Add what is called *name*, and return what it is called: a class of the user's has its own name."""
        schema = self._members.schema(name, mode)
        reference: str | None = schema.get("$ref")
        if reference is not None:
            return reference.rpartition("/")[2]
        schemas[name] = schema
        return name

    def _ask_for_class(self, name: str, mode: JsonSchemaMode, cls: type[Any]) -> None:
        self._members.ask_for_class(name, mode, cls)
        self._classes.append((name, mode))

    def _ask_for(self, field: Field, mode: JsonSchemaMode, annotation: Any) -> None:
        if (field.name, mode) not in self._keys:
            self._keys[field.name, mode] = self._members.ask_for_field(field, mode, annotation)

    def _fields_of(self, purpose: str) -> tuple[str, ...]:
        return self.resource.writable if purpose == "Create" else self.resource.changeable

    def _add_body(self, purpose: str, schemas: dict[str, Document]) -> str:
        body, created = self._body(purpose), schemas.get(f"{self._name}Create")
        if purpose == "Replace" and body == created:
            return f"{self._name}Create"
        schemas[f"{self._name}{purpose}"] = body
        return f"{self._name}{purpose}"

    def _entity(self) -> Document:
        described = {"description": self.resource.description} if self.resource.description else {}
        names = self.resource.readable
        members = {self.resource.naming.alias_of(name): self._member(name, "serialization") for name in names}
        return {"type": "object", **described, "properties": members, "required": list(members)}

    def _body(self, purpose: str) -> Document:
        out, fields = self.resource.naming.alias_of, self.resource.fields
        members: dict[str, Document] = {}
        required: list[str] = []
        key = text_key_of(self.resource) if purpose == "Create" else None
        for name in self._fields_of(purpose):
            schema, field = self._member(name, "validation"), fields[name]
            if field is key:
                schema = {**schema, "not": {"enum": list(NOT_ADDRESSABLE)}}
            if purpose != "Update" and field.default is not UNSET and field.default is not None:
                schema = {**schema, "default": _in_json(field)}
            members[out(name)] = schema
            if purpose != "Update" and field.required and name not in self.resource.stamped:
                required.append(out(name))
        more: Document = {"required": required} if required else {}
        if (example := example_of(self._documented, purpose)) is not None:
            more["examples"] = [example]
        return {"type": "object", "properties": members, **more, "additionalProperties": False}

    def _member(self, name: str, mode: JsonSchemaMode) -> Document:
        schema, field = self._members.schema(self._keys[name, mode], mode), self.resource.fields[name]
        return {**schema, "description": field.description} if field.description else schema


def _in_json(field: Field) -> object:
    """Return the default of *field* as JSON has it."""
    format_ = FORMATS[field.kind]
    if field.kind is Kind.ENUM or format_.json_form is JsonForm.DOCUMENT:
        return TypeAdapter(output_type(field)).dump_python(field.default, mode="json")
    return field.default if format_.write_json is None else format_.write_json(field.default)
