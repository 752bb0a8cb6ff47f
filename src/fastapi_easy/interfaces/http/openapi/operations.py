"""The paths of one resource in OpenAPI."""

import dataclasses
import inspect
from typing import Any, Final

from fastapi_easy.domain import Operation, Reading
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.bulk import bulk_example
from fastapi_easy.interfaces.http.openapi.documents import Document, OperationDetails
from fastapi_easy.interfaces.http.openapi.examples import example_of
from fastapi_easy.interfaces.http.openapi.feeds import feed_details
from fastapi_easy.interfaces.http.openapi.history import as_of_parameters, history_details
from fastapi_easy.interfaces.http.openapi.merge_patch import merge_patch_name
from fastapi_easy.interfaces.http.openapi.parameters import (
    fields_parameter,
    filter_parameters,
    key_schema,
    page_parameters,
)
from fastapi_easy.interfaces.http.openapi.problems import CORRELATION, problem_responses
from fastapi_easy.interfaces.http.openapi.relations import related_parameters
from fastapi_easy.interfaces.http.openapi.streams import (
    aggregate_details,
    export_details,
    import_details,
)
from fastapi_easy.interfaces.http.operations.table import ACTION_PROBLEMS, KEY, ROUTES, OperationRoute

_CHANGE_HEADERS: Final = ("Preference-Applied", "Withheld-Events", "Idempotent-Replayed")
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "`return=minimal` for an answer without the entity; `tx=rollback` for a dry run, which does "
    "everything except "
    "commit the change; or both, separated by a comma.",
    "schema": {"type": "string"},
}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the version the change is based on; 412 when it is not the current one.",
    "schema": {"type": "string"},
    "example": "*",
}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A new one for each change, and the same in each retry of it: the change is made once, and every "
    "retry gets the first answer.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the version at hand; 304 when it is the current one.",
    "schema": {"type": "string"},
}


class Operations:
    """The OpenAPI operations of one resource, those that it offers only."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._resource = http_resource.resource
        self._names = http_resource.names
        self._schema = http_resource.names.schema

    def paths(self) -> dict[str, dict[str, Document]]:
        """Return the operations by path and lower-case method."""
        paths: dict[str, dict[str, Document]] = {}
        for route in ROUTES:
            if route.operation in self._resource.operations:
                path = paths.setdefault(f"{self._http_resource.path}{route.path}", {})
                path[route.method.lower()] = self._operation(route)
        for name, action in (self._resource.actions or {}).items():
            paths[f"{self._http_resource.path}{KEY}/{name}"] = {"post": self._action(name, action)}
        return paths

    def names(self) -> dict[tuple[str, str], str]:
        """Return what policies call each of `paths`, by path and lower-case method."""
        names = {
            (f"{self._http_resource.path}{route.path}", route.method.lower()): route.operation.value
            for route in ROUTES
        }
        return names | {
            (f"{self._http_resource.path}{KEY}/{name}", "post"): name for name in self._resource.actions or {}
        }

    def _operation(self, route: OperationRoute) -> Document:
        members, responses = self._details(route)
        by_status = dict(zip(map(str, route.statuses), responses, strict=True))
        return {
            "tags": [self._resource.name],
            "operationId": route.operation_id(self._names),
            "summary": route.summary.format(
                resource=self._resource.name,
                entity=_with_article(self._names.singular),
                deleted=_with_article(f"deleted_{self._names.singular}"),
            ),
            **members,
            "responses": {**by_status, **self._problems(route.problems | self._problems_of_reading(route))},
        }

    def _details(self, route: OperationRoute) -> OperationDetails:  # noqa: C901, PLR0911, PLR0912 (a row per operation)
        match route.operation:
            case Operation.CREATE:
                return self._create()
            case Operation.GET:
                return self._get()
            case Operation.LIST:
                return self._list() if route.method == "GET" else self._search()
            case Operation.COUNT:
                return self._count()
            case Operation.REPLACE:
                return self._write("Replace", _JSON_ONLY)
            case Operation.UPDATE:
                return self._update()
            case Operation.DELETE:
                return self._remove(self._if_match(), "Deleted.")
            case Operation.RESTORE:
                return self._restore()
            case Operation.PURGE:
                return self._remove(_IF_MATCH, "Purged.")
            case Operation.UPSERT:
                return self._upsert()
            case Operation.BULK:
                return self._bulk()
            case Operation.AGGREGATE:
                return aggregate_details(self._http_resource)
            case Operation.EXPORT:
                return export_details(self._http_resource)
            case Operation.IMPORT:
                return import_details(self._http_resource)
            case Operation.CHANGES:
                return feed_details(self._http_resource)
            case Operation.HISTORY:
                return history_details(self._http_resource, self._key())

    def _problems_of_reading(self, route: OperationRoute) -> frozenset[int]:
        is_strict = self._resource.reading is Reading.STRICT
        return frozenset({409} if is_strict and route.operation in {Operation.GET, Operation.EXPORT} else ())

    def _problems(self, statuses: frozenset[int]) -> Document:
        found = statuses if self._resource.requires_version else statuses - {428}
        return problem_responses(found | {429} if self._http_resource.options.rate_limits else found)

    def _list(self) -> OperationDetails:
        parameters = [
            *filter_parameters(self._http_resource),
            *page_parameters(self._http_resource),
            *as_of_parameters(self._http_resource),
            *related_parameters(self._http_resource),
        ]
        return {"parameters": parameters}, (self._page("Link"),)

    def _search(self) -> OperationDetails:
        body = self._body(f"{self._schema}Search", _JSON_ONLY)
        body["content"]["application/json"]["example"] = {"limit": 10}
        members = {
            "description": "The same grammar as that of the list, for queries too long for a path.",
            "requestBody": body,
        }
        return members, (self._page(),)

    def _count(self) -> OperationDetails:
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
        return {"parameters": filter_parameters(self._http_resource)}, (counted,)

    def _create(self) -> OperationDetails:
        body = self._body(f"{self._schema}Create", _JSON_ONLY)
        return {"parameters": [_PREFER, self._key_of_retries()], "requestBody": body}, (self._created(),)

    def _upsert(self) -> OperationDetails:
        by = " and ".join(f"`{name}`" for name in self._resource.upsert_by)
        members = {
            "description": f"Changes the one with the same {by}, or creates it. Fields left out stay as they are.",
            "parameters": [_PREFER, _IDEMPOTENCY_KEY],
            "requestBody": self._body(f"{self._schema}Create", _JSON_ONLY),
        }
        changed, empty = self._changed("Changed.")
        return members, (changed, self._created(), empty)

    def _bulk(self) -> OperationDetails:
        body = self._body(f"{self._schema}Bulk", _JSON_ONLY)
        example = bulk_example(self._http_resource)
        if example is not None:
            body["content"]["application/json"]["example"] = example
        members = {
            "description": "Makes the changes in their order: all or none, or with `atomic: false` each on its own. An "
            "atomic call that fails answers with the problem of the item that failed, and `item` is its index.",
            "parameters": [_PREFER, self._key_of_retries()],
            "requestBody": body,
        }
        results = {
            "headers": _headers(*_CHANGE_HEADERS),
            "content": {"application/json": {"schema": _reference(f"{self._schema}BulkResults")}},
        }
        return members, (
            {"description": "Every item succeeded.", **results},
            {"description": "Some items failed; each result has a status.", **results},
        )

    def _get(self) -> OperationDetails:
        parameters = [
            self._key(),
            fields_parameter(self._http_resource),
            *as_of_parameters(self._http_resource),
            *related_parameters(self._http_resource),
            _IF_NONE_MATCH,
        ]
        found = self._one("Found.", "ETag", partial=True)
        return {"parameters": parameters}, (found, _empty_response("Not modified.", "ETag"))

    def _write(self, suffix: str, types: tuple[str, ...]) -> OperationDetails:
        members = {
            "parameters": [self._key(), self._if_match(), _PREFER, _IDEMPOTENCY_KEY],
            "requestBody": self._body(f"{self._schema}{suffix}", types),
        }
        return members, self._changed("Changed.")

    def _update(self) -> OperationDetails:
        members, answers = self._write("Update", _JSON_OR_MERGE_PATCH)
        merge = members["requestBody"]["content"][_MERGE_PATCH]
        merge["schema"] = _reference(merge_patch_name(self._http_resource))
        return members, answers

    def _remove(self, if_match: Document, description: str) -> OperationDetails:
        parameters = [self._key(), if_match, _PREFER, _IDEMPOTENCY_KEY]
        return {"parameters": parameters}, (_empty_response(description, *_CHANGE_HEADERS),)

    def _restore(self) -> OperationDetails:
        return {"parameters": [self._key(), _IF_MATCH, _PREFER, _IDEMPOTENCY_KEY]}, self._changed("Restored.")

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
            "headers": _headers("ETag", *_CHANGE_HEADERS),
            "content": {"application/json": {"schema": {}}},
        }
        return {
            "tags": [self._resource.name],
            "operationId": f"{name}_{self._names.singular}",
            "summary": described.split("\n", 1)[0]
            or f"{name.capitalize()} {_with_article(self._names.singular)}",
            "description": described,
            "parameters": [self._key(), self._if_match(), _PREFER, self._key_of_retries()],
            "requestBody": body,
            "responses": {
                "200": answer,
                "204": _empty_response("Done.", "ETag", *_CHANGE_HEADERS),
                **self._problems(ACTION_PROBLEMS),
            },
        }

    def _if_match(self) -> Document:
        return {**_IF_MATCH, "required": True} if self._resource.requires_version else _IF_MATCH

    def _key_of_retries(self) -> Document:
        """Return the parameter of what is not idempotent by itself."""
        if self._resource.requires_idempotency_key:
            return {**_IDEMPOTENCY_KEY, "required": True}
        return _IDEMPOTENCY_KEY

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
        return self._one("Created.", "ETag", "Location", *_CHANGE_HEADERS)

    def _changed(self, description: str) -> tuple[Document, Document]:
        """Return the responses with the changed entity, and without it for `Prefer: return=minimal`."""
        headers = ("ETag", *_CHANGE_HEADERS)
        return self._one(description, *headers), _empty_response(description, *headers)

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
_MERGE_PATCH: Final = "application/merge-patch+json"
_JSON_OR_MERGE_PATCH: Final = ("application/json", _MERGE_PATCH)


def _headers(*names: str) -> Document:
    return {**CORRELATION, **{name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _empty_response(description: str, *headers: str) -> Document:
    """Return a response without a body."""
    return {"description": description, "headers": _headers(*headers)}


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def _with_article(noun: str) -> str:
    words = noun.replace("_", " ")
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"
