"""`-created_at,id` becomes an order."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.application.queries.comparisons import Misunderstood
from fastapi_easy.application.queries.vocabulary import nearest
from fastapi_easy.domain.ordering import Direction, Sort
from fastapi_easy.domain.resource import Resource


def read_order(resource: Resource[Any], names: Sequence[str]) -> tuple[Sort, ...]:
    """The order *names* stand for; a leading minus means the largest first.

    Raises:
        Misunderstood: A field is unknown, not sortable, or named twice.
    """
    order: dict[str, Sort] = {}
    for name in names:
        descending = name.startswith("-")
        field = name[1:] if descending else name
        if field not in resource.sortable:
            suggestion = nearest(field, resource.sortable)
            raise Misunderstood.grammar(
                "sort",
                "Names a field that cannot be sorted by",
                f"-{suggestion}" if suggestion and descending else suggestion,
            )
        if field in order:
            raise Misunderstood.grammar("sort", f"Names {field} twice")
        order[field] = Sort(field, Direction.DESCENDING if descending else Direction.ASCENDING)
    return tuple(order.values())


def read_fields(resource: Resource[Any], names: Sequence[str]) -> tuple[str, ...]:
    """The chosen fields, each once, in the order they were named.

    Raises:
        Misunderstood: A field is unknown or not readable.
    """
    chosen: dict[str, None] = {}
    for name in names:
        if name not in resource.readable:
            raise Misunderstood.grammar(
                "fields", "Names a field that is not there", nearest(name, resource.readable)
            )
        chosen[name] = None
    return tuple(chosen)
