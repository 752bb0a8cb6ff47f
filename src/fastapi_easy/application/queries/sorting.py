"""`-created_at,id` becomes an order."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.application.queries.allowed_comparisons import Names, nearest
from fastapi_easy.application.queries.comparisons import Misunderstood
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.resources.resource import Relation, Resource


def read_order(resource: Resource[Any], names: Sequence[str], depth: int, called: Names) -> tuple[Sort, ...]:
    """The order *names* stand for; a leading minus means the largest first.

    Args:
        resource: Whose entities are put in order.

        names: Fields, or relations to one entity and a field of that, `author.name`.

        depth: Relations from one to the next at most.

        called: What fields are called.

    Raises:
        Misunderstood: A field is unknown, not sortable, or named twice.
    """
    order: dict[str, Sort] = {}
    for name in names:
        descending = name.startswith("-")
        word = name[1:] if descending else name
        *relations, last = word.split(".")
        path, target = _path(resource, relations[: depth + 1])
        field = called(target).meant(last)
        if len(relations) > depth or path is None or field not in target.sortable:
            suggestion = nearest(word, _sortable(resource, called))
            raise Misunderstood.grammar(
                "sort",
                "Names a field that cannot be sorted by",
                f"-{suggestion}" if suggestion and descending else suggestion,
            )
        if word in order:
            raise Misunderstood.grammar("sort", f"Names {word} twice")
        order[word] = Sort(field, Direction.DESCENDING if descending else Direction.ASCENDING, path)
    return tuple(order.values())


def _path(resource: Resource[Any], names: Sequence[str]) -> tuple[tuple[Relation, ...] | None, Resource[Any]]:
    """The relations to one entity each that *names* spell, and whom they lead to; `None` when they do not."""
    path: list[Relation] = []
    for name in names:
        relation = resource.relations.get(name)
        if relation is None or relation.many:
            return None, resource
        path.append(relation)
        resource = relation.target
    return tuple(path), resource


def _sortable(resource: Resource[Any], called: Names) -> list[str]:
    related = [
        f"{relation.name}.{called(relation.target).out(field)}"
        for relation in resource.relations.values()
        if not relation.many
        for field in relation.target.sortable
    ]
    return [*(called(resource).out(field) for field in resource.sortable), *related]


def read_fields(resource: Resource[Any], names: Sequence[str], called: Names) -> tuple[str, ...]:
    """The chosen fields, each once, in the order they were named.

    Raises:
        Misunderstood: A field is unknown or not readable.
    """
    chosen: dict[str, None] = {}
    naming = called(resource)
    for name in names:
        field = naming.meant(name)
        if field is None or field not in resource.readable:
            known = [naming.out(each) for each in resource.readable]
            raise Misunderstood.grammar("fields", "Names a field that is not there", nearest(name, known))
        chosen[field] = None
    return tuple(chosen)
