"""The paths of one resource in OpenAPI."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, Final

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.openapi.bulk import bulk_example
from fastapi_easy.interfaces.http.openapi.examples import example_of
from fastapi_easy.interfaces.http.openapi.parameters import (
    fields_parameter,
    filter_parameters,
    key_schema,
    page_parameters,
)
from fastapi_easy.interfaces.http.openapi.problems import CORRELATION, problem_responses
from fastapi_easy.interfaces.http.openapi.relations import related_parameters
from fastapi_easy.interfaces.http.openapi.streams import stream_operations

Document = dict[str, Any]

_ALWAYS: Final = (400, 405, 422, 500, 501, 503, 504)
_ONE: Final = (404,)
_UNREAD: Final = (408, 413)
_BODY: Final = (*_UNREAD, 415)
_CHANGE: Final = (403, 409)
_PREFERRED: Final = ("Preference-Applied", "Withheld-Events")
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "`return=minimal` for an answer without the entity; `tx=rollback` for a dry run, which does all but "
    "change something; or both, separated by a comma.",
    "schema": {"type": "string"},
}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the version the change is based on; 412 when it is not the current one.",
    "schema": {"type": "string"},
    "example": "*",
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the version at hand; 304 when it is the current one.",
    "schema": {"type": "string"},
}


class Operations:
    """Writes the paths of one resource, those of its operations only."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._resource = surface.resource
        self._names = surface.names
        self._schema = surface.names.schema
        self._entity = f"{surface.path}/{{key}}"

    def paths(self) -> dict[str, dict[str, Document]]:
        """Operations by path and lower-case method."""
        paths: dict[str, dict[str, Document]] = {}
        for operation, path, method, document in self._every():
            if operation is None or operation in self._resource.operations:
                paths.setdefault(path, {})[method] = {"tags": [self._resource.name], **document}
        return paths

    def _every(self) -> Iterator[tuple[Operation | None, str, str, Document]]:
        path = self._surface.path
        yield Operation.LIST, path, "get", self._list()
        yield Operation.CREATE, path, "post", self._create()
        yield Operation.LIST, f"{path}/search", "post", self._search()
        yield Operation.COUNT, f"{path}/count", "get", self._count()
        yield from stream_operations(self._surface)
        yield Operation.UPSERT, f"{path}/upsert", "post", self._upsert()
        yield Operation.BULK, f"{path}/bulk", "post", self._bulk()
        yield Operation.GET, self._entity, "get", self._get()
        yield Operation.REPLACE, self._entity, "put", self._write("replace", "Replace", "Replace", _JSON_ONLY)
        yield Operation.UPDATE, self._entity, "patch", self._write("update", "Change", "Update", _EITHER)
        yield Operation.DELETE, self._entity, "delete", self._delete()
        yield Operation.RESTORE, f"{self._entity}/restore", "post", self._restore()
        yield Operation.PURGE, f"{self._entity}/purge", "post", self._purge()
        for name, action in (self._resource.actions or {}).items():
            yield None, f"{self._entity}/{name}", "post", self._action(name, action)

    def _list(self) -> Document:
        return {
            "operationId": f"list_{self._names.many}",
            "summary": f"List {self._resource.name}",
            "parameters": [
                *filter_parameters(self._surface),
                *page_parameters(self._surface),
                *related_parameters(self._surface),
            ],
            "responses": {"200": self._page("Link"), **problem_responses((*_ALWAYS, 403, 414))},
        }

    def _search(self) -> Document:
        body = self._body(f"{self._schema}Search", _JSON_ONLY)
        body["content"]["application/json"]["example"] = {"limit": 10}
        return {
            "operationId": f"search_{self._names.many}",
            "summary": f"Search {self._resource.name}",
            "description": "The same grammar as that of the list, for queries too long for a path.",
            "requestBody": body,
            "responses": {"200": self._page(), **problem_responses((*_ALWAYS, *_BODY, 403))},
        }

    def _count(self) -> Document:
        schema = {
            "type": "object",
            "required": ["count"],
            "properties": {"count": {"type": "integer", "minimum": 0}},
        }
        counted = {
            "description": "How many there are.",
            "headers": dict(CORRELATION),
            "content": {"application/json": {"schema": schema}},
        }
        return {
            "operationId": f"count_{self._names.many}",
            "summary": f"Count {self._resource.name}",
            "parameters": filter_parameters(self._surface),
            "responses": {"200": counted, **problem_responses((*_ALWAYS, 414))},
        }

    def _create(self) -> Document:
        return {
            "operationId": f"create_{self._names.one}",
            "summary": f"Create {_article(self._names.one)}",
            "parameters": [_PREFER],
            "requestBody": self._body(f"{self._schema}Create", _JSON_ONLY),
            "responses": {"201": self._created(), **problem_responses((*_ALWAYS, *_BODY, *_CHANGE))},
        }

    def _upsert(self) -> Document:
        by = " and ".join(f"`{name}`" for name in self._resource.upsert_by)
        return {
            "operationId": f"upsert_{self._names.one}",
            "summary": f"Change or create {_article(self._names.one)}",
            "description": f"Changes the one with the same {by}, or creates it. Fields left out stay as they are.",
            "parameters": [_PREFER],
            "requestBody": self._body(f"{self._schema}Create", _JSON_ONLY),
            "responses": {
                "200": self._one("Changed.", "ETag", *_PREFERRED),
                "201": self._created(),
                "204": _bare("Changed.", "ETag", *_PREFERRED),
                **problem_responses((*_ALWAYS, *_BODY, *_CHANGE)),
            },
        }

    def _bulk(self) -> Document:
        body = self._body(f"{self._schema}Bulk", _JSON_ONLY)
        example = bulk_example(self._surface)
        if example is not None:
            body["content"]["application/json"]["example"] = example
        results = {
            "headers": _headers(*_PREFERRED),
            "content": {"application/json": {"schema": _reference(f"{self._schema}BulkResults")}},
        }
        return {
            "operationId": f"bulk_{self._names.many}",
            "summary": f"Change many {self._resource.name}",
            "description": "Makes the changes in their order: all or none, or with `atomic: false` each for itself. An "
            "atomic call that fails answers with the problem of the item that failed, and `item` is its index.",
            "parameters": [_PREFER],
            "requestBody": body,
            "responses": {
                "200": {"description": "Every item worked.", **results},
                "207": {"description": "Some items failed; each result has a status.", **results},
                **problem_responses((*_ALWAYS, *_BODY, *_CHANGE, *self._versioned(), 404)),
            },
        }

    def _get(self) -> Document:
        return {
            "operationId": f"get_{self._names.one}",
            "summary": f"Get {_article(self._names.one)}",
            "parameters": [
                self._key(),
                fields_parameter(self._surface),
                *related_parameters(self._surface),
                _IF_NONE_MATCH,
            ],
            "responses": {
                "200": self._one("Found.", "ETag", partial=True),
                "304": {"description": "Not modified.", "headers": _headers("ETag")},
                **problem_responses((*_ALWAYS, *_ONE, 414)),
            },
        }

    def _write(self, verb: str, title: str, suffix: str, types: tuple[str, ...]) -> Document:
        return {
            "operationId": f"{verb}_{self._names.one}",
            "summary": f"{title} {_article(self._names.one)}",
            "parameters": [self._key(), self._if_match(), _PREFER],
            "requestBody": self._body(f"{self._schema}{suffix}", types),
            "responses": {
                "200": self._one("Changed.", "ETag", *_PREFERRED),
                "204": _bare("Changed.", "ETag", *_PREFERRED),
                **problem_responses((*_ALWAYS, *_ONE, *_BODY, *_CHANGE, *self._versioned())),
            },
        }

    def _delete(self) -> Document:
        return {
            "operationId": f"delete_{self._names.one}",
            "summary": f"Delete {_article(self._names.one)}",
            "parameters": [self._key(), self._if_match(), _PREFER],
            "responses": {
                "204": _bare("Deleted.", *_PREFERRED),
                **problem_responses((*_ALWAYS, *_ONE, *_CHANGE, *self._versioned())),
            },
        }

    def _restore(self) -> Document:
        return {
            "operationId": f"restore_{self._names.one}",
            "summary": f"Bring back {_article(f'deleted_{self._names.one}')}",
            "parameters": [self._key(), _IF_MATCH, _PREFER],
            "responses": {
                "200": self._one("There again.", "ETag", *_PREFERRED),
                "204": _bare("There again.", "ETag", *_PREFERRED),
                **problem_responses((*_ALWAYS, *_ONE, *_UNREAD, *_CHANGE, 412)),
            },
        }

    def _purge(self) -> Document:
        return {
            "operationId": f"purge_{self._names.one}",
            "summary": f"Remove {_article(f'deleted_{self._names.one}')} for good",
            "parameters": [self._key(), _IF_MATCH, _PREFER],
            "responses": {
                "204": _bare("Gone.", *_PREFERRED),
                **problem_responses((*_ALWAYS, *_ONE, *_UNREAD, *_CHANGE, 412)),
            },
        }

    def _action(self, name: str, action: type[Any]) -> Document:
        described = inspect.cleandoc(action.__doc__ or "")
        required = any(
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            for field in dataclasses.fields(action)
        )
        body = self._body(f"{self._schema}{action.__name__}", _JSON_ONLY)
        body["required"] = required
        answer = {
            "description": "Done.",
            "headers": _headers("ETag", *_PREFERRED),
            "content": {"application/json": {"schema": {}}},
        }
        return {
            "operationId": f"{name}_{self._names.one}",
            "summary": described.split("\n", 1)[0] or f"{name.capitalize()} {_article(self._names.one)}",
            "description": described,
            "parameters": [self._key(), self._if_match(), _PREFER],
            "requestBody": body,
            "responses": {
                "200": answer,
                "204": _bare("Done.", "ETag", *_PREFERRED),
                **problem_responses((*_ALWAYS, *_ONE, *_BODY, *_CHANGE, *self._versioned())),
            },
        }

    def _if_match(self) -> Document:
        return {**_IF_MATCH, "required": True} if self._resource.requires_version else _IF_MATCH

    def _versioned(self) -> tuple[int, ...]:
        return (412, 428) if self._resource.requires_version else (412,)

    def _key(self) -> Document:
        parts = ",".join(self._resource.key)
        described = f"{parts}, separated by commas." if "," in parts else f"The {parts}."
        schema = key_schema(self._resource)
        return {"name": "key", "in": "path", "required": True, "description": described, "schema": schema}

    def _body(self, schema: str, types: tuple[str, ...]) -> Document:
        media: Document = {"schema": _reference(schema)}
        example = example_of(self._resource, schema.removeprefix(self._schema))
        if example is not None:
            media["example"] = example
        return {"required": True, "content": {each: dict(media) for each in types}}

    def _created(self) -> Document:
        return self._one("Created.", "ETag", "Location", *_PREFERRED)

    def _one(self, description: str, *headers: str, partial: bool = False) -> Document:
        reference = _reference(self._schema)
        if partial:
            reference = {"anyOf": [reference, _reference(f"{self._schema}Part")]}
        return {
            "description": description,
            "headers": _headers(*headers),
            "content": {"application/json": {"schema": reference}},
        }

    def _page(self, *headers: str) -> Document:
        return {
            "description": "A page.",
            "headers": _headers(*headers),
            "content": {"application/json": {"schema": _reference(f"{self._schema}Page")}},
        }


_JSON_ONLY: Final = ("application/json",)
_EITHER: Final = ("application/json", "application/merge-patch+json")


def _headers(*names: str) -> Document:
    return {**CORRELATION, **{name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _bare(description: str, *headers: str) -> Document:
    """An answer without a body."""
    return {"description": description, "headers": _headers(*headers)}


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def _article(noun: str) -> str:
    words = noun.replace("_", " ")
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"
