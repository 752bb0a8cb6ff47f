"""`HoldsWords` → a filter: the text index finds documents, and a regular expression for each word decides."""

from collections.abc import Iterator
from typing import Final

from fastapi_easy.domain.queries.specification import AllOf, Specification
from fastapi_easy.domain.queries.words import FINAL_SIGMA, SIGMA, HoldsWords
from fastapi_easy.infrastructure.persistence.mongo.documents.case_folding import build_pattern
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan

_PART: Final = r"[\p{L}\p{N}\p{M}_]"
"""What a word consists of."""


def build_words(asked: HoldsWords, plan: Plan) -> Document:
    """Build the filter for documents that hold the words of *asked*, without an index."""
    patterns = [f"(?<!{_PART}){_pattern(each)}(?!{_PART})" for each in asked.words]
    paths = [plan.path(name) for name in asked.fields]
    return {"$and": [{"$or": [{path: {"$regex": pattern}} for path in paths]} for pattern in patterns]}


def _pattern(word: str) -> str:
    sigmas = f"{SIGMA}{SIGMA.upper()}"
    return build_pattern(word, any_case=True).replace(f"[{sigmas}]", f"[{sigmas}{FINAL_SIGMA}]")


def build_text_search(specification: Specification, plan: Plan) -> Document:
    """Build the filter by which the text index narrows down *specification*; empty where there is none to use.

    It finds more than is asked for: a phrase in quotes is searched for as a part of a text.
    """
    found = next(_searches(specification), None)
    if found is None or not plan.has_text_index:
        return {}
    # In quotes nothing is an operator, and all phrases have to occur. No word has a quote in it.
    return {"$text": {"$search": " ".join(f'"{each}"' for each in found.words)}}


def _searches(specification: Specification) -> Iterator[HoldsWords]:
    """Yield what must hold in any case: elsewhere the server takes no `$text`."""
    if isinstance(specification, HoldsWords):
        yield specification
    elif isinstance(specification, AllOf):
        for each in specification.specifications:
            yield from _searches(each)
