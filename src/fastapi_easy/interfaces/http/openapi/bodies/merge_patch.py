"""Merge patches in OpenAPI: an update whose JSON fields may be given a part of their document."""

from collections.abc import Mapping

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document


def merge_patch_name(http_resource: HttpResource, bodies: Mapping[str, str]) -> str:
    """Return the name of the schema of a merge patch; without JSON fields it is that of any update, of *bodies*."""
    return f"{http_resource.names.schema}MergePatch" if http_resource.resource.mergeable else bodies["Update"]


def merge_patch_schemas(
    http_resource: HttpResource, schemas: Mapping[str, Document], bodies: Mapping[str, str]
) -> dict[str, Document]:
    """Return the schema of a merge patch, if the resource offers one that differs from an update.

    Args:
        http_resource: The resource.

        schemas: Those of all bodies.

        bodies: The names of those of the resource, by purpose.
    """
    resource = http_resource.resource
    if Operation.UPDATE not in resource.operations or not resource.mergeable:
        return {}
    update = schemas[bodies["Update"]]
    free: Document = {"description": "Merged into the stored document, as RFC 7396 says."}
    merged = {resource.naming.alias_of(each) for each in resource.mergeable}
    properties = {
        member: free if member in merged else schema
        for member, schema in update.get("properties", {}).items()
    }
    return {merge_patch_name(http_resource, bodies): {**update, "properties": properties}}
