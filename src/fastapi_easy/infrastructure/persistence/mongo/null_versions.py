"""Versions that others have left null: they count as 0, as missing ones do, but the server cannot add to null."""

from typing import Any

from pymongo.errors import OperationFailure

from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.errors import TYPE_MISMATCH_CODE


def is_uncountable(error: OperationFailure, resource: Resource[Any]) -> bool:
    """Return whether *error* says that the version of a document of *resource* is no number."""
    return error.code == TYPE_MISMATCH_CODE and resource.version is not None


def only(match: Document, resource: Resource[Any]) -> Document:
    """Return the filter of those documents of *match* whose version is null."""
    return {"$and": [match, {str(resource.version): {"$type": "null"}}]}


def count_first(update: Document) -> Document:
    """Return *update* for a document whose version is null: it sets what it would add."""
    return {"$set": {**update.get("$set", {}), **update["$inc"]}}


def reset(resource: Resource[Any]) -> Document:
    """Return the update that makes a null version 0."""
    return {"$set": {str(resource.version): 0}}
