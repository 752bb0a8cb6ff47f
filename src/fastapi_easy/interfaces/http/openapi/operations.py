"""The paths of one resource in OpenAPI."""

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.domain import Operation, Reading
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.bodies.merge_patch import merge_patch_name
from fastapi_easy.interfaces.http.openapi.documents import Document, OperationDetails
from fastapi_easy.interfaces.http.openapi.feeds import feed_details
from fastapi_easy.interfaces.http.openapi.history import as_of_parameters, history_details
from fastapi_easy.interfaces.http.openapi.problems import problem_responses
from fastapi_easy.interfaces.http.openapi.queries.parameters import QueryDocs
from fastapi_easy.interfaces.http.openapi.queries.values import key_schema
from fastapi_easy.interfaces.http.openapi.request_headers import (
    IDEMPOTENCY_KEY,
    IDEMPOTENCY_KEY_REQUIRED,
    IF_MATCH,
    IF_MATCH_REQUIRED,
    IF_NONE_MATCH,
    PREFER,
)
from fastapi_easy.interfaces.http.openapi.responses import (
    CHANGE_HEADERS,
    CHANGED,
    COUNTED,
    DELETED,
    DONE,
    NOT_MODIFIED,
    json_response,
)
from fastapi_easy.interfaces.http.openapi.streams import (
    aggregate_details,
    export_details,
    import_details,
)
from fastapi_easy.interfaces.http.operations.table import ACTION_PROBLEMS, KEY, ROUTES, OperationRoute


class Operations:
    """The OpenAPI operations of one resource, those that it offers only.

    Args:
        http_resource: The resource.

        queries: What is documented of its queries.

        bodies: The names of the schemas of its bodies, by purpose.
    """

    def __init__(self, http_resource: HttpResource, queries: QueryDocs, bodies: Mapping[str, str]) -> None:
        self._http_resource = http_resource
        self._queries = queries
        self._bodies = bodies
        self._resource = http_resource.resource
        self._names = http_resource.names
        self._schema = http_resource.names.schema
        self._key_reference: Document = {"$ref": f"#/components/parameters/{self._names.plural}.key"}
        self._one_reference: Document = {"$ref": f"#/components/responses/{self._schema}"}

    def parameters(self) -> dict[str, Document]:
        """Return the parameters that several of the operations share, by name."""
        parts = ",".join(self._resource.key)
        described = f"{parts}, separated by commas." if "," in parts else f"The {parts}."
        schema = key_schema(self._resource)
        key = {"name": "key", "in": "path", "required": True, "description": described, "schema": schema}
        return {f"{self._names.plural}.key": key, **self._queries.components}

    def responses(self) -> dict[str, Document]:
        """Return the responses that several of the operations share, by name."""
        entity, results = _reference(self._bodies[""]), _reference(f"{self._schema}BulkResults")
        return {
            self._schema: json_response(
                "The entity as it is now; Location where it is new.",
                entity,
                "ETag",
                "Location",
                *CHANGE_HEADERS,
            ),
            f"{self._schema}Page": json_response("A page.", _reference(f"{self._schema}Page"), "Link"),
            f"{self._schema}BulkResults": json_response("A result for each item.", results, *CHANGE_HEADERS),
        }

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
                return self._replace()
            case Operation.UPDATE:
                return self._update()
            case Operation.DELETE:
                return self._remove(self._deletion(), self._if_match())
            case Operation.RESTORE:
                return self._restore()
            case Operation.PURGE:
                return self._remove("It cannot be restored any more.", IF_MATCH)
            case Operation.UPSERT:
                return self._upsert()
            case Operation.BULK:
                return self._bulk()
            case Operation.AGGREGATE:
                return aggregate_details(self._http_resource, self._queries)
            case Operation.EXPORT:
                return export_details(self._queries)
            case Operation.IMPORT:
                return import_details(self._http_resource)
            case Operation.CHANGES:
                return feed_details(self._http_resource, self._queries)
            case Operation.HISTORY:
                return history_details(self._http_resource, self._key_reference)

    def _problems_of_reading(self, route: OperationRoute) -> frozenset[int]:
        is_strict = self._resource.reading is Reading.STRICT
        return frozenset({409} if is_strict and route.operation in {Operation.GET, Operation.EXPORT} else ())

    def _problems(self, statuses: frozenset[int]) -> Document:
        found = statuses if self._resource.requires_version else statuses - {428}
        return problem_responses(found | {429} if self._http_resource.options.rate_limits else found)

    def _list(self) -> OperationDetails:
        members = {
            "description": "A page; `cursor` continues it.",
            "parameters": [*self._queries.listing, *as_of_parameters(self._http_resource)],
        }
        return members, (self._page(),)

    def _search(self) -> OperationDetails:
        body = self._body(f"{self._schema}Search")
        body["content"]["application/json"]["example"] = {"limit": 10}
        members = {
            "description": "The list, for queries too long for a path.",
            "requestBody": body,
        }
        return members, (self._page(),)

    def _count(self) -> OperationDetails:
        members = {
            "description": "Of those that the comparisons select.",
            "parameters": self._queries.selection,
        }
        return members, (COUNTED,)

    def _create(self) -> OperationDetails:
        members = {
            "description": "What is left out gets its default.",
            "parameters": [PREFER, self._key_of_retries()],
            "requestBody": self._body(self._bodies["Create"]),
        }
        return members, (self._one_reference,)

    def _upsert(self) -> OperationDetails:
        by = " and ".join(f"`{name}`" for name in self._resource.upsert_by)
        members = {
            "description": f"Changes the one with the same {by}, or creates it. Fields left out stay as they are.",
            "parameters": [PREFER, IDEMPOTENCY_KEY],
            "requestBody": self._body(self._bodies["Create"]),
        }
        return members, (self._one_reference, self._one_reference, CHANGED)

    def _bulk(self) -> OperationDetails:
        body = self._body(f"{self._schema}Bulk")
        members = {
            "description": "All or none; with `atomic: false` each on its own.",
            "parameters": [PREFER, self._key_of_retries()],
            "requestBody": body,
        }
        results = {"$ref": f"#/components/responses/{self._schema}BulkResults"}
        return members, (results, results)

    def _get(self) -> OperationDetails:
        found = _reference(f"{self._schema}Part")
        members = {
            "description": "All its fields, or some.",
            "parameters": [
                self._key_reference,
                self._queries.fields,
                *self._queries.including,
                *as_of_parameters(self._http_resource),
                IF_NONE_MATCH,
            ],
        }
        return members, (json_response("Found.", found, "ETag"), NOT_MODIFIED)

    def _replace(self) -> OperationDetails:
        return self._change("What is left out gets its default.", self._body(self._bodies["Replace"]))

    def _update(self) -> OperationDetails:
        body = self._body(self._bodies["Update"])
        content = body["content"]
        merge = merge_patch_name(self._http_resource, self._bodies)
        content[_MERGE_PATCH] = {"schema": _reference(merge)}
        return self._change("What is left out stays as it is.", body)

    def _change(self, description: str, body: Document) -> OperationDetails:
        members = {
            "description": description,
            "parameters": [self._key_reference, self._if_match(), PREFER, IDEMPOTENCY_KEY],
            "requestBody": body,
        }
        return members, (self._one_reference, CHANGED)

    def _remove(self, description: str, if_match: Document) -> OperationDetails:
        parameters = [self._key_reference, if_match, PREFER, IDEMPOTENCY_KEY]
        return {"description": description, "parameters": parameters}, (DELETED,)

    def _deletion(self) -> str:
        is_kept = Operation.RESTORE in self._resource.operations
        return "It can be restored." if is_kept else "It is gone for good."

    def _restore(self) -> OperationDetails:
        members = {
            "description": "It is as it was when it was deleted.",
            "parameters": [self._key_reference, IF_MATCH, PREFER, IDEMPOTENCY_KEY],
        }
        return members, (self._one_reference, CHANGED)

    def _action(self, name: str, action: type[Any]) -> Document:
        described = inspect.cleandoc(action.__doc__ or "")
        required = any(
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            for field in dataclasses.fields(action)
        )
        body = self._body(self._bodies[action.__name__])
        body["required"] = required
        summary = described.split("\n", 1)[0] or f"{name.capitalize()} {_with_article(self._names.singular)}"
        return {
            "tags": [self._resource.name],
            "operationId": f"{name}_{self._names.singular}",
            "summary": summary,
            "description": described or summary,
            "parameters": [self._key_reference, self._if_match(), PREFER, self._key_of_retries()],
            "requestBody": body,
            "responses": {
                "200": json_response("Done.", {}, "ETag", *CHANGE_HEADERS),
                "204": DONE,
                **self._problems(ACTION_PROBLEMS),
            },
        }

    def _if_match(self) -> Document:
        return IF_MATCH_REQUIRED if self._resource.requires_version else IF_MATCH

    def _key_of_retries(self) -> Document:
        """Return the parameter of what is not idempotent by itself."""
        return IDEMPOTENCY_KEY_REQUIRED if self._resource.requires_idempotency_key else IDEMPOTENCY_KEY

    def _body(self, schema: str) -> Document:
        return {"required": True, "content": {"application/json": {"schema": _reference(schema)}}}

    def _page(self) -> Document:
        return {"$ref": f"#/components/responses/{self._schema}Page"}


_MERGE_PATCH: Final = "application/merge-patch+json"


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def _with_article(noun: str) -> str:
    words = noun.replace("_", " ")
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"
