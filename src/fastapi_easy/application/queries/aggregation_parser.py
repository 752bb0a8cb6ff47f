"""The parser of aggregations: `group_by=author_id&total=sum:price`."""

from collections.abc import Sequence
from typing import Final

from fastapi_easy.application.queries.allowed_comparisons import closest_match
from fastapi_easy.application.queries.comparisons import QueryError
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.sorting import split_names
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure, functions_of
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.naming import FieldAliases
from fastapi_easy.domain.resources.resource import Resource

AGGREGATION: Final = frozenset({"group_by", "total", "limit", "offset"})
"""The parameters of an aggregation that are not comparisons. Fields of these names are compared with an operator."""

DEFAULT_GROUP_LIMIT: Final = 100
"""Groups in an answer without a `limit`."""

_NOT_GROUPABLE: Final = frozenset({Kind.JSON, Kind.BINARY, Kind.ARRAY})


def groupable(resource: Resource[object]) -> tuple[str, ...]:
    """Return the fields of *resource* that entities can be grouped by."""
    # The same value is encrypted differently each time.
    encrypted = () if resource.secrets is None else resource.secrets.encrypted
    return tuple(
        name
        for name in resource.filterable
        if name in resource.fields
        and resource.fields[name].kind not in _NOT_GROUPABLE
        and name not in encrypted
    )


def measures(resource: Resource[object]) -> tuple[str, ...]:
    """Return the names of all measures of *resource*."""
    return tuple(measure.name for measure in _measures(resource))


def _measures(resource: Resource[object]) -> list[Measure]:
    every = [Measure(Function.COUNT)]
    every += [
        Measure(function, name)
        for name in groupable(resource)
        for function in functions_of(resource.fields[name])
    ]
    return every


def external_measure_name(measure: Measure, naming: FieldAliases) -> str:
    """Return the name of *measure* as callers write it."""
    return (
        measure.name
        if measure.field is None
        else Measure(measure.function, naming.alias_of(measure.field)).name
    )


def read_aggregation(
    resource: Resource[object],
    pairs: Sequence[tuple[str, str]],
    specification: Specification,
    limits: QueryLimits,
    naming: FieldAliases,
) -> Aggregation:
    """Parse *pairs* into an aggregation over *specification*; without a `total` the entities are counted.

    Raises:
        QueryError: A name is unknown, or a number out of range.
    """
    totals = _names(pairs, "total") or [Function.COUNT.value]
    group_by = _names(pairs, "group_by")
    numbers = {external_measure_name(measure, naming): measure for measure in _measures(resource)}
    fields = {naming.alias_of(name): name for name in groupable(resource)}
    for parameter, names, known in (("total", totals, numbers), ("group_by", group_by, fields)):
        for name in names:
            if name not in known:
                raise QueryError.bad_query(
                    parameter, f"Unknown name {name[:64]!r}", closest_match(name, known)
                )
        if len(names) > limits.items:
            raise QueryError.limit_exceeded(f"/{parameter}", f"Must not have more than {limits.items} values")
    return Aggregation(
        measures=tuple(numbers[name] for name in totals),
        group_by=tuple(fields[name] for name in group_by),
        specification=specification,
        limit=_number(pairs, "limit", min(DEFAULT_GROUP_LIMIT, limits.groups), 1, limits.groups),
        offset=_number(pairs, "offset", 0, 0, limits.offset),
    )


def _names(pairs: Sequence[tuple[str, str]], parameter: str) -> list[str]:
    """Return the distinct names given for *parameter*, in order."""
    return list(dict.fromkeys(split_names(parameter, [value for key, value in pairs if key == parameter])))


def _number(pairs: Sequence[tuple[str, str]], parameter: str, default: int, low: int, high: int) -> int:
    """Return *parameter* as an integer from *low* to *high*; *default* when it is not given."""
    given = [value for key, value in pairs if key == parameter]
    if not given:
        return default
    if len(given) > 1:
        raise QueryError.bad_query(parameter, "Was given more than once")
    # `isdigit` alone accepts superscripts and the digits of other scripts.
    if not (given[0].isascii() and given[0].isdigit() and len(given[0]) < 20):  # noqa: PLR2004 (digits of an int64)
        raise QueryError.invalid_value(f"/{parameter}", "Must be a whole number", "integer_parsing")
    if not low <= int(given[0]) <= high:
        raise QueryError.invalid_value(f"/{parameter}", f"Must be between {low} and {high}", "out_of_range")
    return int(given[0])
