"""An OpenAPI document of an app's own routes → the same with its resources."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from fastapi_easy.domain import UNSET, Operation, Reading
from fastapi_easy.interfaces.formats.output_types import output_type
from fastapi_easy.interfaces.http.dependencies.guards import Guards
from fastapi_easy.interfaces.http.dependencies.openapi import DependencyDocs
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.bulk import bulk_schemas
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.feeds import feed_schemas
from fastapi_easy.interfaces.http.openapi.history import history_schemas
from fastapi_easy.interfaces.http.openapi.merge_patch import merge_patch_schemas
from fastapi_easy.interfaces.http.openapi.operations import Operations
from fastapi_easy.interfaces.http.openapi.parameters import search_schemas, shared_parameters
from fastapi_easy.interfaces.http.openapi.problems import HEADERS, ITEM_PROBLEM, PROBLEM, shared_responses
from fastapi_easy.interfaces.http.openapi.relations import related_properties
from fastapi_easy.interfaces.http.openapi.security import SecurityDocs
from fastapi_easy.interfaces.http.openapi.streams import stream_schemas

_WITH_FILTERS: Final = {
    *(Operation.LIST, Operation.COUNT, Operation.EXPORT),
    *(Operation.AGGREGATE, Operation.CHANGES),
}
_REFERENCE: Final = "#/components/schemas/{model}"


def add_resources(
    base: Document,
    http_resources: Sequence[HttpResource],
    guards: Guards,
    own_operations: Iterable[tuple[str, str]] = (),
) -> Document:
    """Return *base* with *http_resources*. What it has itself under the same path and method stays.

    Args:
        base: The document of the app's own routes, as FastAPI makes it.

        http_resources: The resources of the app.

        guards: The dependencies that run before their operations.

        own_operations: The path and method of the app's own operations that identify their caller.
    """
    taken: Document = base.get("components", {}).get("schemas", {})
    http_resources = [http_resource.as_documented for http_resource in http_resources]
    paths: Document = {}
    parameters = _parameters(http_resources)
    dependency_docs = DependencyDocs(parameters)
    identification = guards.identification
    security = SecurityDocs(
        () if identification is None else identification.schemes(),
        None if identification is None else identification.public(),
    )
    for http_resource in http_resources:
        described = Operations(http_resource)
        operations = described.paths()
        dependency_docs.add(operations, guards.openapi_dependencies(http_resource.resource))
        paths |= operations
        if security.schemes:
            names, resource = described.names(), http_resource.resource.name
            for path, methods in operations.items():
                for method, operation in methods.items():
                    security.add(operation, is_public=security.is_public(resource, names[path, method]))
    schemas = {
        "Problem": PROBLEM,
        "ItemProblem": ITEM_PROBLEM,
        **dependency_docs.schemas,
        **_schemas(http_resources),
    }
    renamed = {name: f"{name}Resource" for name in schemas if name in taken and taken[name] != schemas[name]}
    if renamed:
        schemas = {
            renamed.get(name, name): _rename_references(each, renamed) for name, each in schemas.items()
        }
        paths = _rename_references(paths, renamed)
        parameters = _rename_references(parameters, renamed)
    given = base.get("components", {})
    own_paths: Document = {
        path: _with_deep_object_style(each) for path, each in base.get("paths", {}).items()
    }
    if security.schemes:
        for path, method in own_operations:
            if method in own_paths.get(path, {}):
                security.add(own_paths[path][method])
    components = {
        **given,
        "schemas": {**schemas, **taken},
        "parameters": {**parameters, **given.get("parameters", {})},
        "headers": {**HEADERS, **given.get("headers", {})},
        "responses": {**shared_responses(), **given.get("responses", {})},
    }
    if dependency_docs.security_schemes or security.schemes:
        components["securitySchemes"] = {
            **security.schemes,
            **dependency_docs.security_schemes,
            **given.get("securitySchemes", {}),
        }
    every_path = {path: {**paths.get(path, {}), **own_paths.get(path, {})} for path in (*paths, *own_paths)}
    tags = [{"name": each.resource.name, **_description_member(each)} for each in http_resources]
    return {**base, "paths": every_path, "components": components, "tags": [*base.get("tags", []), *tags]}


def _parameters(http_resources: Sequence[HttpResource]) -> Document:
    return {
        name: parameter
        for http_resource in http_resources
        if http_resource.resource.operations & _WITH_FILTERS
        for name, parameter in shared_parameters(http_resource).items()
    }


def _with_deep_object_style(path: Document) -> Document:
    """Move the style of deep objects from the schemas of *path* to its parameters; see `query_params.plan`."""
    for operation in path.values():
        for parameter in operation.get("parameters", ()) if isinstance(operation, dict) else ():
            if parameter.get("schema", {}).pop("x-style", None) == "deepObject":
                parameter |= {"style": "deepObject", "explode": True}
    return path


def _description_member(http_resource: HttpResource) -> Document:
    return {"description": http_resource.resource.description} if http_resource.resource.description else {}


def _schemas(http_resources: Sequence[HttpResource]) -> dict[str, Document]:
    """Return every schema of the resources by its name."""
    wanted: list[tuple[tuple[str, JsonSchemaMode], JsonSchemaMode, TypeAdapter[Any]]] = [
        ((name, mode), mode, TypeAdapter(schema))
        for http_resource in http_resources
        for name, mode, schema in _models(http_resource)
    ]
    generated, rest = TypeAdapter.json_schemas(
        wanted,
        ref_template=_REFERENCE,
        schema_generator=_Generator,
    )
    definitions: dict[str, Document] = dict(rest.get("$defs", {}))
    schemas: dict[str, Document] = dict(definitions)
    for ((name, _), _), schema in generated.items():
        # A name of ours for a class of the user's leads to that class.
        if schema.get("$ref") != _REFERENCE.format(model=name):
            schemas[name] = schema
    for http_resource in http_resources:
        _add_defaults(http_resource, schemas)
        for action in (http_resource.resource.actions or {}).values():
            _resolve(f"{http_resource.names.schema}{action.__name__}", schemas)["additionalProperties"] = (
                False
            )
        schemas |= _derived_schemas(http_resource, schemas)
    return schemas


def _add_defaults(http_resource: HttpResource, schemas: Mapping[str, Document]) -> None:
    """Add to the derived bodies of *http_resource* what fields are that are left out."""
    resource, name = http_resource.resource, http_resource.names.schema
    for body in (f"{name}Create", f"{name}Replace") if resource.schemas.create is None else ():
        for member, schema in schemas.get(body, {}).get("properties", {}).items():
            field = resource.fields[member]
            if field.default is not UNSET and field.default is not None:
                schema["default"] = TypeAdapter(output_type(field)).dump_python(field.default, mode="json")


class _Generator(GenerateJsonSchema):
    """pydantic's own, without warnings about defaults it cannot write."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 (as pydantic declares it)


def _models(http_resource: HttpResource) -> list[tuple[str, JsonSchemaMode, type[Any]]]:
    name, schemas, offered = (
        http_resource.names.schema,
        http_resource.schemas,
        http_resource.resource.operations,
    )
    models: list[tuple[str, JsonSchemaMode, type[Any]]] = [(name, "serialization", schemas.read)]
    if offered & {Operation.CREATE, Operation.UPSERT, Operation.IMPORT}:
        models.append((f"{name}Create", "validation", schemas.create))
    if Operation.REPLACE in offered:
        models.append((f"{name}Replace", "validation", schemas.replace))
    if Operation.UPDATE in offered:
        models.append((f"{name}Update", "validation", schemas.update))
    actions = (http_resource.resource.actions or {}).values()
    return [*models, *((f"{name}{action.__name__}", "validation", action) for action in actions)]


def _derived_schemas(http_resource: HttpResource, schemas: Mapping[str, Document]) -> dict[str, Document]:
    name = http_resource.names.schema
    part = f"{name}Part"
    whole = _resolve(name, schemas)
    page: Document = {
        "type": "object",
        "title": f"{name}Page",
        "required": ["items", "total", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{part}"}},
            "total": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
            "next_cursor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }
    if http_resource.resource.reading is Reading.STRICT:
        page["properties"]["problems"] = {
            "type": "array",
            "items": {"$ref": "#/components/schemas/ItemProblem"},
            "description": "The entities of this page whose stored values do not fit; absent when there are none.",
        }
    beside = related_properties(http_resource)
    partial = {
        **{key: value for key, value in whole.items() if key != "required"},
        "properties": {**whole.get("properties", {}), **beside},
        "title": part,
        "description": "All fields, or those that were asked for"
        + (", and what include asked for beside them." if beside else "."),
    }
    derived = {part: partial, f"{name}Page": page}
    return {
        **derived,
        **merge_patch_schemas(http_resource, schemas),
        **search_schemas(http_resource),
        **bulk_schemas(http_resource),
        **stream_schemas(http_resource),
        **feed_schemas(http_resource),
        **history_schemas(http_resource),
    }


def _resolve(name: str, schemas: Mapping[str, Document]) -> Document:
    schema = schemas[name]
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _rename_references(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _rename_reference(each, renamed)
            if key == "$ref" and isinstance(each, str)
            else _rename_references(each, renamed)
            for key, each in value.items()
        }
    return [_rename_references(each, renamed) for each in value] if isinstance(value, list) else value


def _rename_reference(reference: str, renamed: Mapping[str, str]) -> str:
    prefix, _, name = reference.rpartition("/")
    return f"{prefix}/{renamed.get(name, name)}"
