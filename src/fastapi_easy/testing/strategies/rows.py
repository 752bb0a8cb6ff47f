"""Strategies for rows of a resource, and for patches."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import UNSET, Field
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.testing.strategies.values import CASED, texts, values


def rows(resource: Resource[Any], alphabet: str = CASED) -> st.SearchStrategy[dict[str, object]]:
    """Return values for `Repository.add`: with required fields, without generated ones, the others optional."""
    required: dict[str, st.SearchStrategy[object]] = {}
    optional: dict[str, st.SearchStrategy[object]] = {}
    for name, field in resource.fields.items():
        if field.generated:
            continue
        strategy = _values_of(resource, name, alphabet)
        # A default factory would make different values in the two stores that are compared, so a value is given.
        must_be_given = field.required or field.default_factory is not None
        (required if must_be_given else optional)[name] = st.none() | strategy if field.nullable else strategy
    return st.fixed_dictionaries(required, optional=optional)


def tables(
    resource: Resource[Any], alphabet: str = CASED, *, min_size: int = 0, max_size: int = 12
) -> st.SearchStrategy[list[dict[str, object]]]:
    """Return lists of rows that can be stored together: no two have the same key or the same unique values."""
    rules = {
        *resource.unique,
        *((field.name,) for field in resource.fields.values() if field.unique and not field.generated),
    }
    if not any(resource.fields[name].generated for name in resource.key):
        rules.add(resource.key)
    one = rows(resource, alphabet)
    unique_by = tuple(_unique_key(resource, rule) for rule in rules)
    return st.lists(one, min_size=min_size, max_size=max_size, unique_by=unique_by or None)


def patches(resource: Resource[Any], alphabet: str = CASED) -> st.SearchStrategy[dict[str, object]]:
    """Return patches of some of the changeable fields that are not unique."""
    ruled = {name for rule in resource.unique for name in rule}
    optional = {
        name: st.none() | _values_of(resource, name, alphabet)
        if field.nullable
        else _values_of(resource, name, alphabet)
        for name in resource.changeable
        if not (field := resource.fields[name]).unique and name not in ruled
    }
    return st.fixed_dictionaries({}, optional=optional)


def _values_of(resource: Resource[Any], name: str, alphabet: str) -> st.SearchStrategy[object]:
    """Return values of the field *name*; of JSON with declared places also documents that hold something there."""
    whole = values(resource.fields[name], alphabet)
    paths = [path for path in resource.paths.values() if path.document == name]
    if not paths:
        return whole
    numbers = st.sampled_from((0, 1, 2, -1, 2.0, 0.5, -1.25))
    leaf = st.one_of(
        st.none(), st.booleans(), numbers, texts(alphabet), st.lists(texts(alphabet), max_size=2)
    )
    inside = st.lists(st.tuples(st.sampled_from(paths), leaf), min_size=1, max_size=4).map(_document)
    return whole | inside | inside


def _document(placed: Sequence[tuple[DocumentPath, object]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, leaf in placed:
        holder = document
        for name in path.members[:-1]:
            inner = holder.get(name)
            holder[name] = inner if isinstance(inner, dict) else {}
            holder = holder[name]
        holder[path.members[-1]] = leaf
    return document


def _unique_key(resource: Resource[Any], rule: Sequence[str]) -> Callable[[Values], Any]:
    """Return a function that maps a row to its values of *rule*; null is never equal to null."""

    def claim(row: Values) -> Any:
        claimed = tuple(row.get(name, _default(resource.fields[name])) for name in rule)
        return object() if None in claimed else claimed

    return claim


def _default(field: Field) -> Any:
    return None if field.default is UNSET else field.default
