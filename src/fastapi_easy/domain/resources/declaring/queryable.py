"""What callers may filter, sort and search by, from the rules of a declaration."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from fastapi_easy.domain.field import Comparison, Field, Kind, is_sortable
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.specification import operators_for
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import FullText, QueryRules
from fastapi_easy.domain.resources.resource import Shape

_CONFIGURATION: Final = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


def filterable_fields(
    rules: QueryRules,
    readable: Sequence[str],
    fields: Mapping[str, Field],
    paths: Collection[str],
    mistakes: Mistakes,
) -> tuple[str, ...]:
    """Return the fields that callers may compare, and every one of *paths*, which are declared for that."""
    able = [name for name in readable if operators_for(fields[name])]
    if rules.filter is None:
        return (*able, *paths)
    named = _without(rules.filter, paths)
    found = mistakes.names("query.filter", named, able, "which is not a readable field that can be compared")
    return (*found, *paths)


def sortable_fields(
    rules: QueryRules,
    readable: Sequence[str],
    fields: Mapping[str, Field],
    paths: Collection[str],
    mistakes: Mistakes,
) -> tuple[str, ...]:
    """Return the fields that callers may sort by, and every one of *paths*."""
    able = [name for name in readable if is_sortable(fields[name])]
    if rules.sort is None:
        return (*able, *paths)
    named = _without(rules.sort, paths)
    found = mistakes.names("query.sort", named, able, "which is not a readable field that has an order")
    return (*found, *paths)


def searchable_fields(
    rules: QueryRules, readable: Sequence[str], fields: Mapping[str, Field], shape: Shape, mistakes: Mistakes
) -> tuple[str, ...]:
    """Return what `q` looks into: texts, and columns that the store itself searches."""
    able = [
        name
        for name in readable
        if fields[name].kind is Kind.TEXT and fields[name].comparison is Comparison.FULL
    ]
    if rules.full_text is None:
        able += [name for name, each in shape.omitted.items() if each.is_searched]
    else:
        _check_full_text(rules.full_text, mistakes)
    return mistakes.names("query.search", rules.searched, able, "which is not a readable text field")


def _check_full_text(declared: FullText, mistakes: Mistakes) -> None:
    if not declared.fields:
        mistakes.add("query.search is a FullText without fields: name the text fields that it searches")
    if declared.language is not None and not _CONFIGURATION.fullmatch(declared.language):
        mistakes.add(
            f"query.search has the language {declared.language!r}: name a text search configuration, such as 'english'"
        )


def default_order(
    rules: QueryRules,
    readable: Sequence[str],
    fields: Mapping[str, Field],
    paths: Mapping[str, DocumentPath],
    mistakes: Mistakes,
) -> tuple[Sort, ...]:
    """Return the order when the caller names none."""
    able = [*(name for name in readable if is_sortable(fields[name])), *paths]
    requested = {name.removeprefix("-"): name for name in mistakes.check_is_list("query.order", rules.order)}
    kept = mistakes.names("query.order", requested, able, "which is not a readable field that has an order")
    down, up = Direction.DESCENDING, Direction.ASCENDING
    if not 1 <= rules.limit <= rules.max_limit:
        mistakes.add(f"query.limit is {rules.limit}: set it between 1 and query.max_limit, {rules.max_limit}")
    if rules.document not in {"common", "all"}:
        mistakes.add(f"query.document is {rules.document!r}: write 'common' or 'all'")
    return tuple(
        Sort(name, down if requested[name].startswith("-") else up, inside=paths.get(name)) for name in kept
    )


def _without(named: Sequence[str], paths: Collection[str]) -> Sequence[str]:
    # One text is no list: `Mistakes.names` says so.
    return named if isinstance(named, str) else [name for name in named if name not in paths]
