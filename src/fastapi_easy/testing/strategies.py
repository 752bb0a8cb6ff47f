"""Hypothesis strategies: rows of a resource, and queries about them.

Values are such that every store can hold them and two of them are often equal: texts have no NUL and no lone
surrogates, dates lie in the years that every database knows, and most values come from a small choice.
"""

import datetime
import decimal
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from hypothesis import strategies as st

from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.ordering import Direction, Sort
from fastapi_easy.domain.page import Count, PageRequest
from fastapi_easy.domain.patch import Values
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import (
    LISTS,
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Specification,
    Where,
    operators_of,
)

T = TypeVar("T")

Texts: TypeAlias = st.SearchStrategy[str]

_LATIN: Final = "".join(chr(code) for code in range(0xC0, 0xFF) if code not in {0xD7, 0xF7})
_GREEK: Final = "".join(
    chr(code) for code in (*range(0x391, 0x3A2), *range(0x3A3, 0x3AA), *range(0x3B1, 0x3C2))
)
_CYRILLIC: Final = "".join(chr(code) for code in range(0x410, 0x450))

TRICKY: Final = "%_\\'\"`[]*?:;-/ "
"""Characters that mean something to some store, and the space that some forget at the end."""

CASED: Final = string.ascii_letters + string.digits + TRICKY + _LATIN + _GREEK + _CYRILLIC + "😀😁\uff21"
"""Characters about whose lower case nobody disagrees: one character, whatever stands around it."""

WILD: Final = CASED + "ςİ\u0131\u017f\u212aẞ\u01c5ﬀ\u0301\u200d\ufeff\u2028\t\n\U0010ffff"
"""Those, and characters about whose lower case, width or equality stores do disagree."""

ANY_CASE: Final = frozenset(
    {
        Operator.EQUALS_ANY_CASE,
        Operator.CONTAINS_ANY_CASE,
        Operator.STARTS_WITH_ANY_CASE,
        Operator.ENDS_WITH_ANY_CASE,
    }
)
"""Operators that go by lower case."""

CONFUSABLE: Final = (
    *(
        "",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "ab",
        "aB",
        "AB",
        "b",
        "aba",
        "e",
        "E",
        "\u00e9",
        "\u00c9",
        "%",
        "a%",
        "_",
        "a_b",
    ),
    *("\\", "a\\b", "\u03c3", "\u03a3", "\u0436", "\u0416", "\U0001f600", "\U0001f601"),
)
"""Texts that some store takes for one another."""

_SOME_LENGTH: Final = 12


def texts(alphabet: str = CASED, *, min_size: int = 0, max_size: int = _SOME_LENGTH) -> Texts:
    """Texts that are mostly easy to confuse with another, and now and then made of anything in *alphabet*."""
    alike = [each for each in CONFUSABLE if min_size <= len(each) <= max_size]
    anything = st.text(alphabet=alphabet, min_size=min_size, max_size=max(min_size, max_size))
    return _mostly(st.sampled_from(alike), anything) if alike else anything


def values(field: Field, alphabet: str = CASED) -> st.SearchStrategy[Any]:
    """Values of *field* that are not null."""
    if field.kind is Kind.TEXT:
        return texts(
            alphabet, min_size=field.min_length or 0, max_size=min(field.max_length or 30, _SOME_LENGTH)
        )
    if field.kind is Kind.INTEGER:
        return _integers(field)
    if field.kind is Kind.DECIMAL:
        return _decimals(field)
    if field.kind is Kind.ENUM and field.enumeration is not None:
        return st.sampled_from(tuple(field.enumeration))
    if field.kind is Kind.ARRAY:
        item = Field(name=field.name, kind=field.item or Kind.TEXT)
        return st.lists(values(item, alphabet), min_size=field.min_length or 0, max_size=3)
    return _OTHERS[field.kind]()


def rows(resource: Resource[Any], alphabet: str = CASED) -> st.SearchStrategy[dict[str, Any]]:
    """Values for `Repository.add`: what is required is there, what is generated is not, the rest comes and goes."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in resource.fields.items():
        if field.generated:
            continue
        strategy = values(field, alphabet)
        # A factory makes another value in each store, so what it is for is said here.
        must_be_given = field.required or field.default_factory is not None
        (required if must_be_given else optional)[name] = st.none() | strategy if field.nullable else strategy
    return st.fixed_dictionaries(required, optional=optional)


def tables(
    resource: Resource[Any], alphabet: str = CASED, *, min_size: int = 0, max_size: int = 12
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows that may stand together: no two have the same key or break a rule of uniqueness."""
    rules = {
        *resource.unique,
        *((field.name,) for field in resource.fields.values() if field.unique and not field.generated),
    }
    if not any(resource.fields[name].generated for name in resource.key):
        rules.add(resource.key)
    one = rows(resource, alphabet)
    unique_by = tuple(_claim(resource, rule) for rule in rules)
    return st.lists(one, min_size=min_size, max_size=max_size, unique_by=unique_by or None)


def comparisons(field: Field, operator: Operator, alphabet: str = CASED) -> st.SearchStrategy[Where]:
    """*field* compared with something by *operator*."""
    return st.builds(Where, st.just(field.name), st.just(operator), _compared(field, operator, alphabet))


def specifications(
    resource: Resource[Any],
    alphabet: str = CASED,
    *,
    without: frozenset[Operator] = frozenset(),
    max_leaves: int = 6,
) -> st.SearchStrategy[Specification]:
    """Trees over the filterable fields of *resource*, without the operators in *without*."""
    # Made once, and chosen from field by field: kinds with many operators are asked no more often than others.
    choices = [_leaves(resource.fields[name], alphabet, without) for name in resource.filterable]
    leaf = st.sampled_from(choices).flatmap(lambda choice: choice)
    return st.recursive(
        leaf | leaf | st.just(Everything()),
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(AllOf, st.lists(inner, max_size=3).map(tuple))
            | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
        ),
        max_leaves=max_leaves,
    )


def orders(resource: Resource[Any], *, max_size: int = 3) -> st.SearchStrategy[tuple[Sort, ...]]:
    """Orders by the sortable fields of *resource*, each at most once."""
    sort = st.builds(Sort, st.sampled_from(resource.sortable), st.sampled_from(Direction))
    return st.lists(sort, max_size=max_size, unique_by=lambda each: each.field).map(tuple)


def pages(*, max_limit: int = 6) -> st.SearchStrategy[PageRequest]:
    """Windows from anywhere near the beginning; the total is exact or not asked for."""
    return st.builds(
        PageRequest,
        limit=st.integers(1, max_limit),
        offset=st.integers(0, max_limit),
        count=st.sampled_from((Count.NONE, Count.EXACT)),
    )


def projections(resource: Resource[Any]) -> st.SearchStrategy[tuple[str, ...] | None]:
    """All fields, or some of the readable ones in some order."""
    some = st.lists(st.sampled_from(resource.readable), min_size=1, max_size=5, unique=True)
    return st.none() | some.map(tuple)


def queries(
    resource: Resource[Any], alphabet: str = CASED, *, without: frozenset[Operator] = frozenset()
) -> st.SearchStrategy[Query]:
    """Anything that may be asked of *resource*, except to go on from a cursor."""
    return st.builds(
        Query,
        specification=specifications(resource, alphabet, without=without),
        order=orders(resource),
        page=pages(),
        fields=projections(resource),
    )


def patches(resource: Resource[Any], alphabet: str = CASED) -> st.SearchStrategy[dict[str, Any]]:
    """Changes to some of the changeable fields that are under no rule of uniqueness."""
    ruled = {name for rule in resource.unique for name in rule}
    optional = {
        name: st.none() | values(field, alphabet) if field.nullable else values(field, alphabet)
        for name in resource.changeable
        if not (field := resource.fields[name]).unique and name not in ruled
    }
    return st.fixed_dictionaries({}, optional=optional)


def _leaves(field: Field, alphabet: str, without: frozenset[Operator]) -> st.SearchStrategy[Specification]:
    operators = [each for each in operators_of(field.kind, nullable=field.nullable) if each not in without]
    choices: list[st.SearchStrategy[Specification]] = [
        comparisons(field, each, alphabet) for each in operators
    ]
    return st.one_of(choices)


def _compared(field: Field, operator: Operator, alphabet: str) -> st.SearchStrategy[Any]:
    if operator is Operator.IS_NULL:
        return st.booleans()
    is_item = operator in {Operator.HAS, Operator.HAS_ANY, Operator.HAS_ALL}
    value = values(Field(name=field.name, kind=field.item or Kind.TEXT) if is_item else field, alphabet)
    if operator is Operator.BETWEEN:
        return st.tuples(value, value)
    return st.lists(value, max_size=4).map(tuple) if operator in LISTS else value


def _claim(resource: Resource[Any], rule: Sequence[str]) -> Callable[[Values], Any]:
    """What a row claims under *rule*; something of its own when it claims nothing."""

    def claim(row: Values) -> Any:
        claimed = tuple(row.get(name, _default(resource.fields[name])) for name in rule)
        return object() if None in claimed else claimed

    return claim


def _default(field: Field) -> Any:
    return None if field.default is UNSET else field.default


def _mostly(few: st.SearchStrategy[T], many: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Three times out of four one of *few*: values that never meet prove nothing."""
    # Not `few | few | few | many`: Hypothesis takes equal alternatives for one.
    return st.integers(0, 3).flatmap(lambda turn: many if turn == 3 else few)


def _integers(field: Field) -> st.SearchStrategy[int]:
    low = -(2**31) if field.minimum is None else field.minimum
    high = 2**31 - 1 if field.maximum is None else field.maximum
    few = st.integers(max(low, min(-1, high)), min(high, max(3, low)))
    return _mostly(few, st.sampled_from((low, high)) | st.integers(low, high))


def _decimals(field: Field) -> st.SearchStrategy[decimal.Decimal]:
    # Fifteen digits are what every store keeps; see `Capability.WIDE_DECIMALS`.
    scale = 2 if field.scale is None else field.scale
    largest = 10 ** min(15, 15 if field.precision is None else field.precision) - 1
    # Few enough to meet again; nine and ten, since as texts they stand the other way round.
    few = st.sampled_from([0, *(sign * each * 10**scale for sign in (1, -1) for each in (1, 9, 10)), 1, -1])
    unscaled = _mostly(few.filter(lambda each: abs(each) <= largest), st.integers(-largest, largest))
    return unscaled.map(lambda digits: decimal.Decimal(digits).scaleb(-scale))


def _floats() -> st.SearchStrategy[float]:
    # Minus zero equals zero, but not all stores keep its sign.
    wide = st.floats(-1e15, 1e15, allow_nan=False, allow_subnormal=False).map(lambda each: each + 0.0)
    return _mostly(st.sampled_from((0.0, 0.1, 0.5, 1.0, -1.0, 1 / 3)), wide)


def _dates() -> st.SearchStrategy[datetime.date]:
    few = st.sampled_from((datetime.date(2024, 2, 29), datetime.date(2024, 3, 1)))
    return _mostly(few, st.dates(datetime.date(1001, 1, 1), datetime.date(9998, 12, 31)))


def _times() -> st.SearchStrategy[datetime.time]:
    few = st.sampled_from((datetime.time(0), datetime.time(12, 30), datetime.time(12, 30, 0, 1)))
    return _mostly(few, st.times())


def _datetimes() -> st.SearchStrategy[datetime.datetime]:
    zones = st.sampled_from((datetime.UTC, datetime.timezone(datetime.timedelta(hours=-9, minutes=-30))))
    few = st.sampled_from((datetime.datetime(2024, 2, 29, 12), datetime.datetime(2024, 2, 29, 12, 0, 0, 1)))  # noqa: DTZ001
    many = st.datetimes(datetime.datetime(1001, 1, 1), datetime.datetime(9998, 12, 30))  # noqa: DTZ001
    return st.builds(lambda moment, zone: moment.replace(tzinfo=zone), _mostly(few, many), zones)


def _durations() -> st.SearchStrategy[datetime.timedelta]:
    day = datetime.timedelta(days=1)
    return st.timedeltas(-day, day)


def _uuids() -> st.SearchStrategy[uuid.UUID]:
    return _mostly(st.sampled_from([uuid.UUID(int=each << 64) for each in (1, 2**32, 2**63)]), st.uuids())


def _json() -> st.SearchStrategy[Any]:
    scalar = st.booleans() | st.integers(-(2**31), 2**31 - 1) | texts() | st.sampled_from((0.5, -1.25))
    member = scalar | st.none()
    return scalar | st.lists(member, max_size=3) | st.dictionaries(texts(), member, max_size=3)


_OTHERS: Final[Mapping[Kind, Callable[[], st.SearchStrategy[Any]]]] = {
    Kind.FLOAT: _floats,
    Kind.BOOLEAN: st.booleans,
    Kind.DATE: _dates,
    Kind.TIME: _times,
    Kind.DATETIME: _datetimes,
    Kind.DURATION: _durations,
    Kind.UUID: _uuids,
    Kind.BINARY: lambda: st.binary(max_size=20),
    Kind.JSON: _json,
    Kind.ENUM: st.nothing,
}
