"""A relation → the `$lookup` stage that fetches the documents it leads to."""

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import is_object_id
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan


def build_lookup(
    relation: Relation,
    source: Plan,
    target: Plan,
    name: str,
    inside: list[Document],
    *,
    prefix: str = "",
) -> Document:
    """Build the `$lookup` stage that puts the documents which *relation* leads to into the array *name*.

    Null is equal to null here; see `key_paths`.

    Args:
        relation: From *source* to *target*.

        source: The plan of the documents in the pipeline.

        target: The plan of the documents that are fetched.

        name: Of the array.

        inside: The stages that the fetched documents pass through.

        prefix: The path of the document of *source* in those of the pipeline, with a dot at its end.
    """
    stage: Document = {"from": target.collection}
    variables: Document = {}
    equal: list[Document] = []
    for here, there in zip(relation.local, relation.remote, strict=True):
        path = f"{prefix}{source.path(here)}"
        converted = _convert_key(
            path, source.resource.stored_fields[here], target.resource.stored_fields[there]
        )
        if converted is None and "localField" not in stage:
            # `localField` joins much quicker than `$expr`, with an index or without, but takes one pair of fields.
            stage |= {"localField": path, "foreignField": target.path(there)}
            continue
        variable = f"here_{len(variables)}"
        variables[variable] = converted or f"${path}"
        equal.append({"$eq": [f"${target.path(there)}", f"$${variable}"]})
    narrowed = [{"$match": {"$expr": {"$and": equal}}}] if equal else []
    return {"$lookup": {**stage, "let": variables, "pipeline": [*narrowed, *inside], "as": name}}


def key_paths(relation: Relation, source: Plan, *, prefix: str = "") -> list[str]:
    """Return the paths that must not be null for *relation* to lead anywhere."""
    return [f"{prefix}{source.path(each)}" for each in relation.local]


def _convert_key(path: str, here: Field, there: Field) -> Document | None:
    """Return the conversion of the value at *path*, when the other side keeps its value as another type."""
    if is_object_id(here) is is_object_id(there):
        return None
    if is_object_id(here):
        return {"$convert": {"input": f"${path}", "to": "string", "onError": None, "onNull": None}}
    # A key that is no ObjectId may be among those that are.
    return {"$convert": {"input": f"${path}", "to": "objectId", "onError": f"${path}", "onNull": None}}
