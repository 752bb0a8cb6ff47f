"""A relation → the stages that fetch the documents it leads to, with a `$lookup`."""

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.relation import Side
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
) -> list[Document]:
    """Build the stages, a `$lookup` at the end, that put the documents *relation* leads to into the array *name*.

    Null is equal to null here; see `leads_somewhere`.

    Args:
        relation: From *source* to *target*.

        source: The plan of the documents in the pipeline.

        target: The plan of the documents that are fetched.

        name: Of the array.

        inside: The stages that the fetched documents pass through.

        prefix: The path of the document of *source* in those of the pipeline, with a dot at its end.
    """
    if relation.listed_by is not None:
        return _build_list_lookup(relation, source, target, name, inside, prefix)
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
    return [{"$lookup": {**stage, "let": variables, "pipeline": [*narrowed, *inside], "as": name}}]


def leads_somewhere(relation: Relation, source: Plan) -> list[Document]:
    """Build the matches without which *relation* leads nowhere from a document, whatever `$lookup` finds."""
    if relation.listed_by is Side.SOURCE:
        return [is_list(source.path(relation.local[0]))]
    return [{path: {"$ne": None}} for path in key_paths(relation, source)]


def is_list(path: str) -> Document:
    """Build the match for documents that hold a list at *path*; a single value there is none of its kind."""
    return {path: {"$type": "array"}}


def key_paths(relation: Relation, source: Plan, *, prefix: str = "") -> list[str]:
    """Return the paths that must not be null for *relation* to lead anywhere."""
    return [f"{prefix}{source.path(each)}" for each in relation.local]


def _build_list_lookup(
    relation: Relation, source: Plan, target: Plan, name: str, inside: list[Document], prefix: str
) -> list[Document]:
    """Build the stages for a *relation* one of whose two fields holds a list: `$lookup` compares each item."""
    here, there = relation.local[0], relation.remote[0]
    path, foreign = f"{prefix}{source.path(here)}", target.path(there)
    is_local = relation.listed_by is Side.SOURCE
    before: list[Document] = []
    if _may_differ_in_type(source, here) or _may_differ_in_type(target, there):
        # Both forms of each value, in a field: an `$expr` on a list could use no index.
        before.append({"$set": {f"{name}_keys": _both_forms(path, is_list=is_local)}})
        path = f"{name}_keys"
    if is_local:
        # Null in a list leads nowhere.
        may_be_null = target.resource.stored_fields[there].nullable
        checked: list[Document] = [{"$match": {foreign: {"$ne": None}}}] if may_be_null else []
    else:
        checked = [] if there in target.enforced else [{"$match": is_list(foreign)}]
    stage: Document = {"from": target.collection, "localField": path, "foreignField": foreign}
    return [*before, {"$lookup": {**stage, "pipeline": [*checked, *inside], "as": name}}]


def _may_differ_in_type(plan: Plan, name: str) -> bool:
    """Return whether the values of a field, or its items, are ObjectIds, which others may hold as texts."""
    codec = plan.codecs[name]
    return "objectId" in (codec if codec.item is None else codec.item).types


def _both_forms(path: str, *, is_list: bool) -> Document:
    """Build the list of the values at *path*, each as it is, as a text and as an ObjectId."""
    held = {"$cond": [{"$isArray": f"${path}"}, f"${path}", []]} if is_list else [f"${path}"]
    forms = [
        {"$map": {"input": held, "in": {"$convert": {"input": "$$this", "to": to, "onError": None}}}}
        for to in ("string", "objectId")
    ]
    return {"$filter": {"input": {"$concatArrays": [held, *forms]}, "cond": {"$gt": ["$$this", None]}}}


def _convert_key(path: str, here: Field, there: Field) -> Document | None:
    """Return the conversion of the value at *path*, when the other side keeps its value as another type."""
    if is_object_id(here) is is_object_id(there):
        return None
    if is_object_id(here):
        return {"$convert": {"input": f"${path}", "to": "string", "onError": None, "onNull": None}}
    # A key that is no ObjectId may be among those that are.
    return {"$convert": {"input": f"${path}", "to": "objectId", "onError": f"${path}", "onNull": None}}
