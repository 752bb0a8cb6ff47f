"""States of the past are compared and sorted by what is inside of their documents, and by places, as stores do."""

import enum

from fastapi_easy.application.history.past_page import page_of
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.path_where import PathWhere
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"
    HUGE = "h"


SIZE = DocumentPath("extra", ("size",), Field(name="extra.size", kind=Kind.INTEGER, nullable=True))
STATES = [
    {"id": 1, "extra": {"size": 3}, "size": Size.HUGE},
    {"id": 2, "extra": {"size": "3"}, "size": Size.SMALL},
    {"id": 3, "extra": {"size": 12}, "size": Size.LARGE},
    {"id": 4, "size": Size.SMALL},
]


def walked(*order: Sort) -> list[int]:
    found: list[int] = []
    request: PageRequest | None = PageRequest(limit=1)
    while request is not None:
        page = page_of(STATES, Query(order=order, page=request), ["id"])
        found += [each["id"] for each in page.items]
        request = None if page.next is None else PageRequest(limit=1, after=page.next)
    return found


def test_walks_go_along_values_inside_of_documents() -> None:
    assert walked(Sort("extra.size", inside=SIZE)) == [1, 3, 2, 4]
    assert walked(Sort("extra.size", Direction.DESCENDING, inside=SIZE)) == [3, 1, 2, 4]


def test_walks_go_along_places_of_members() -> None:
    assert walked(Sort("size")) == [2, 4, 3, 1]
    assert walked(Sort("size", Direction.DESCENDING)) == [1, 3, 2, 4]


def test_values_inside_of_documents_are_compared() -> None:
    unlike = Query(specification=PathWhere("extra.size", Operator.NOT_EQUALS, 3, SIZE))

    assert [each["id"] for each in page_of(STATES, unlike, ["id"]).items] == [2, 3, 4]
