"""The parser of orders, `-created_at,id`, and of field lists."""

from collections.abc import Iterable, Sequence
from typing import Final

from fastapi_easy.application.queries.allowed_comparisons import (
    AliasLookup,
    closest_match,
    offered,
    undeclared_path,
)
from fastapi_easy.application.queries.comparisons import QueryError
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.resources.resource import Relation, Resource


def read_order(
    resource: Resource[object], names: Sequence[str], depth: int, aliases_for: AliasLookup
) -> tuple[Sort, ...]:
    """Parse *names* into an order; a leading minus means descending.

    Args:
        resource: The resource whose entities are sorted.

        names: Fields, or relations to one entity and a field of that, `author.name`.

        depth: Relations from one to the next at most.

        aliases_for: Returns the aliases of the fields.

    Raises:
        QueryError: A field is unknown, not sortable, or named twice.
    """
    order: dict[str, Sort] = {}
    for name in names:
        descending = name.startswith("-")
        spelled = name[1:] if descending else name
        found = _find(resource, spelled, depth, aliases_for)
        if found is None:
            known = _sortable(resource, aliases_for)
            suggestion = closest_match(spelled, known)
            unknown = _NOT_SORTABLE if suggestion else f"{_NOT_SORTABLE}; {offered(known)}"
            raise QueryError.bad_query(
                "sort",
                undeclared_path(resource, spelled) or unknown,
                f"-{suggestion}" if suggestion and descending else suggestion,
            )
        if spelled in order:
            raise QueryError.bad_query("sort", f"Names {spelled} twice")
        path, target, field = found
        direction = Direction.DESCENDING if descending else Direction.ASCENDING
        order[spelled] = Sort(field, direction, path, target.paths.get(field))
    return tuple(order.values())


_NOT_SORTABLE: Final = "Does not name a sortable field"


def _find(
    resource: Resource[object], spelled: str, depth: int, aliases_for: AliasLookup
) -> tuple[tuple[Relation, ...], Resource[object], str] | None:
    """Return the to-one relations that *spelled* begins with, the resource they lead to, and the field of that."""
    path: list[Relation] = []
    while True:
        # The name of a field may have dots in it: where others have named the column, and inside of documents.
        field = aliases_for(resource).resolve(spelled)
        if field is not None and field in resource.sortable:
            return tuple(path), resource, field
        head, dot, spelled = spelled.partition(".")
        relation = resource.relations.get(head)
        if not dot or relation is None or relation.many or len(path) == depth:
            return None
        path.append(relation)
        resource = relation.target


def _sortable(resource: Resource[object], aliases_for: AliasLookup) -> list[str]:
    related = [
        f"{relation.name}.{aliases_for(relation.target).alias_of(field)}"
        for relation in resource.relations.values()
        if not relation.many
        for field in relation.target.sortable
    ]
    return [*(aliases_for(resource).alias_of(field) for field in resource.sortable), *related]


def read_fields(
    resource: Resource[object], names: Sequence[str], aliases_for: AliasLookup
) -> tuple[str, ...]:
    """Return the selected fields, each once, in the order they were named.

    Raises:
        QueryError: A field is unknown or not readable.
    """
    chosen: dict[str, None] = {}
    naming = aliases_for(resource)
    for name in names:
        field = naming.resolve(name)
        if field is None or field not in resource.readable:
            known = [naming.alias_of(each) for each in resource.readable]
            suggestion = closest_match(name, known)
            reason = "Unknown field" if suggestion else f"Unknown field; {offered(known)}"
            raise QueryError.bad_query("fields", reason, suggestion)
        chosen[field] = None
    return tuple(chosen)


def split_names(parameter: str, values: Iterable[str]) -> list[str]:
    """Return the names in *values*, without the spaces around them; an empty value names nothing.

    Args:
        parameter: What it is called in an error.

        values: Texts such as `name,-price`.

    Raises:
        QueryError: There is nothing between two commas, or beside one.
    """
    names = [name.strip() for value in values if value.strip() for name in value.split(",")]
    if not all(names):
        raise QueryError.bad_query(parameter, "Has a comma with no name beside it")
    return names
