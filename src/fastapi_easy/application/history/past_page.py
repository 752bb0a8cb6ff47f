"""Filters, orders and pages over states that are in memory, as stores mean them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi_easy.domain.queries.known_values import tell
from fastapi_easy.domain.queries.ordering import Sort, sort_key, total_order
from fastapi_easy.domain.queries.page import Count, Cursor, Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.values.unexpected import UnexpectedValue


def page_of(states: Sequence[Mapping[str, Any]], query: Query, key: Sequence[str]) -> Page[Mapping[str, Any]]:
    """Return the page of *query* over *states*. A value that nobody knows any more counts as null."""
    order = total_order(query.order, key)
    meant = [each for each in states if tell(query.specification, _Nulls(each)) is True]
    found = _sorted(meant, order)
    wanted, page = found, query.page
    if page.after is not None:
        is_behind = _after(page.after, order)
        wanted = [each for each in wanted if is_behind(each)]
    wanted = wanted[page.offset :]
    items = wanted[: page.limit]
    following = None
    if len(wanted) > len(items):
        following = Cursor(tuple(_value(items[-1], sort) for sort in order))
    return Page(items, None if page.count is Count.NONE else len(found), following)


class _Nulls(dict[str, Any]):
    """Values of which those that are missing are null."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> None:
        return None


def _sorted(states: Sequence[Mapping[str, Any]], order: Sequence[Sort]) -> list[Mapping[str, Any]]:
    """Return *states* in *order*, nulls last in either direction."""
    found = list(states)
    # From the least important term to the most: every sort keeps the sequence of equals.
    for sort in reversed(order):
        present = [each for each in found if _value(each, sort) is not None]
        missing = [each for each in found if _value(each, sort) is None]
        present.sort(key=lambda each, sort=sort: sort_key(_value(each, sort)), reverse=sort.descending)  # type: ignore[misc]
        found = [*present, *missing]
    return found


def _after(cursor: Cursor, order: Sequence[Sort]) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells whether a state comes behind *cursor* in *order*."""
    place = tuple(zip(order, cursor.values, strict=True))

    def is_behind(state: Mapping[str, Any]) -> bool:
        for sort, seen in place:
            value = _value(state, sort)
            if value == seen:
                continue
            if value is None or seen is None:
                return value is None
            mine, theirs = sort_key(value), sort_key(seen)
            return bool((mine < theirs) if sort.descending else (mine > theirs))
        return False

    return is_behind


def _value(state: Mapping[str, Any], sort: Sort) -> Any:
    value = state.get(sort.field) if sort.inside is None else sort.value_in(_Nulls(state))
    return None if isinstance(value, UnexpectedValue) else value
