"""The schema of `where`: every comparison of one resource, and the schemas of `where` of what relations lead to."""

from typing import Final

from fastapi_easy.domain import Operator
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.queries.values import ComparedValues

_MAX_COMPARISONS: Final = 10
"""Comparisons in one object of `where` as documented."""

_SHORTEST: Final = frozenset({Operator.EQUALS, Operator.HAS})
"""The operators by which a field is named where only one of its comparisons is."""


def filter_name(http_resource: HttpResource) -> str:
    """Return the name of the schema of `where`."""
    return f"{http_resource.names.schema}Filter"


def filter_schema(http_resource: HttpResource, values: ComparedValues) -> Document:
    """Return the schema of `where`.

    It refers to itself, because no schema can say how deep a tree may be. Where not every comparison is documented it
    names each field, and is open for the operators.
    """
    queries, is_whole = http_resource.use_cases.queries, http_resource.resource.query.document == "all"
    own = queries.parameters.own.values()
    properties = {
        each.name: values.in_document(each) for each in own if is_whole or each.operator in _SHORTEST
    }
    for relation in queries.parameters.relations.values():
        there = http_resource.all_names[relation.target.name].schema
        properties[relation.name] = {"$ref": f"#/components/schemas/{there}Filter"}
    itself = {"$ref": f"#/components/schemas/{filter_name(http_resource)}"}
    several = {"type": "array", "items": itself}
    described = "All of these hold."
    if not is_whole:
        described += " Others are called `field__operator`."
    return {
        "type": "object",
        "description": described,
        "properties": {**properties, "and": several, "or": several, "not": itself},
        "additionalProperties": not is_whole,
        **({"maxProperties": _MAX_COMPARISONS} if is_whole else {}),
    }
