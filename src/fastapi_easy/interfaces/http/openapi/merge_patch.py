"""Merge patches in OpenAPI: an update whose JSON fields may be given a part of their document."""

from collections.abc import Mapping

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document


def merge_patch_name(http_resource: HttpResource) -> str:
    """Return the name of the schema of a merge patch; without JSON fields it is that of any update."""
    name = http_resource.names.schema
    return f"{name}MergePatch" if http_resource.resource.mergeable else f"{name}Update"


def merge_patch_schemas(http_resource: HttpResource, schemas: Mapping[str, Document]) -> dict[str, Document]:
    """Return the schema of a merge patch, if the resource offers one that differs from an update."""
    resource, name = http_resource.resource, http_resource.names.schema
    if Operation.UPDATE not in resource.operations or not resource.mergeable:
        return {}
    update = schemas[f"{name}Update"]
    while "$ref" in update:
        update = schemas[update["$ref"].rsplit("/", 1)[-1]]
    free: Document = {"description": "Merged into the stored document, as RFC 7396 says."}
    merged = {resource.naming.alias_of(each) for each in resource.mergeable}
    properties = {
        member: {**({"title": schema["title"]} if "title" in schema else {}), **free}
        if member in merged
        else schema
        for member, schema in update.get("properties", {}).items()
    }
    return {
        merge_patch_name(http_resource): {**update, "title": f"{name}MergePatch", "properties": properties}
    }
