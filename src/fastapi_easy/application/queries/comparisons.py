"""The parser of single comparisons in text, JSON or Python."""

from collections.abc import Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from typing import Any, Final, Self

from fastapi_easy.application.queries.allowed_comparisons import (
    CONNECTIVES,
    RESERVED,
    AllowedComparisons,
    Parameter,
    closest_match,
    offered,
    undeclared_path,
)
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.shown_values import ShownValues, unexpected_values
from fastapi_easy.domain.errors import BadQuery, Fault, Invalid
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import Operator, Specification
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.texts import TEXT
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import parse_value, read_text

_BOUNDS = 2


_EQUALITY: Final = frozenset({"eq", "equals", "exact"})
"""What others call the comparison that has no word here."""


class QueryError(Exception):
    """Raised when a query cannot be read; carries the error value that `QueryReader` returns."""

    def __init__(self, error: BadQuery | Invalid) -> None:
        self.error = error
        super().__init__(error.code)

    @classmethod
    def bad_query(cls, parameter: str, reason: str, suggestion: str | None = None) -> Self:
        """Build the error for an unknown name or a malformed query."""
        return cls(BadQuery(parameter[:64], reason, suggestion))

    @classmethod
    def invalid_value(cls, pointer: str, message: str, code: str, source: str = "query") -> Self:
        """Build the error for a value of the wrong type, or out of range."""
        return cls(Invalid((Fault(pointer, message, code, source),)))

    @classmethod
    def limit_exceeded(cls, pointer: str, message: str, source: str = "query") -> Self:
        """Build the error for a query larger than a limit."""
        return cls.invalid_value(pointer, message, "limit_exceeded", source)


class ComparisonParser:
    """Parses the comparisons that one resource allows into leaves of a specification."""

    def __init__(self, parameters: Mapping[str, Parameter], limits: QueryLimits) -> None:
        self._parameters = parameters
        self._limits = limits

    def from_text(self, name: str, values: Sequence[str]) -> Specification:
        """Parse parameter *name*, which was given with each of *values*.

        Raises:
            QueryError: The parameter is unknown, or a value unreadable.
        """
        parameter = self._parameter(name, RESERVED)
        if not parameter.takes_list:
            if len(values) > 1:
                raise QueryError.bad_query(name, "Was given more than once")
            return parameter.condition(self._text(parameter, values[0], f"/{name}"))
        if len(values) == 1 and parameter.splits_commas:
            values = values[0].split(",")
        self._check_item_count(parameter, values, f"/{name}")
        return parameter.condition(tuple(self._text(parameter, each, f"/{name}") for each in values))

    def from_value(
        self, name: str, value: Any, pointer: str, others: frozenset[str] = CONNECTIVES
    ) -> Specification:
        """Parse *name* with a *value* from JSON or Python.

        Args:
            name: The name in a `where` tree, or of a keyword argument.

            value: The value; a list where the operator takes several.

            pointer: The JSON pointer of the value.

            others: Other names that are allowed in the place of *name*, for suggestions.

        Raises:
            QueryError: The name is unknown, or the value unreadable.
        """
        parameter = self._parameter(name, others)
        if value is None:
            field = name if parameter.operator is Operator.EQUALS else name.rpartition("__")[0]
            asks_for_null = f"{field}__{Operator.IS_NULL}"
            if asks_for_null in self._parameters:
                raise QueryError.bad_query(name, "null cannot be compared", asks_for_null)
            raise QueryError.invalid_value(pointer, "Must not be null", "null")
        if not parameter.takes_list:
            return parameter.condition(self._value(parameter, value, pointer))
        unordered = isinstance(value, AbstractSet) and parameter.operator is not Operator.BETWEEN
        if not (unordered or isinstance(value, Sequence)) or isinstance(value, str | bytes):
            raise QueryError.invalid_value(pointer, "Must be a list", "list_type")
        self._check_item_count(parameter, value, pointer)
        return parameter.condition(
            tuple(self._value(parameter, each, f"{pointer}/{n}") for n, each in enumerate(value))
        )

    def from_search(self, field: str, word: str) -> str:
        """Return *word* as a value to search text for.

        Raises:
            QueryError: It cannot be stored text.
        """
        try:
            return TEXT.read_text(Field(name=field, kind=Kind.TEXT), word)
        except ParseError as error:
            raise QueryError.invalid_value("/q", str(error), error.code) from None

    def _parameter(self, name: str, others: frozenset[str]) -> Parameter:
        parameter = self._parameters.get(name)
        if parameter is not None:
            return parameter
        field, _, operator = name.partition("__")
        if operator and field in self._parameters:
            known = [word for word in self._parameters if word.startswith(f"{field}__")]
            there = offered(word.removeprefix(field) for word in known)
            raise QueryError.bad_query(
                name,
                f"{field} cannot be compared like that; {there}",
                field if operator in _EQUALITY else closest_match(name, known),
            )
        if isinstance(self._parameters, AllowedComparisons):
            undeclared = undeclared_path(self._parameters.resource, name)
            if undeclared is not None:
                raise QueryError.bad_query(name, undeclared, closest_match(name, self._parameters.own))
        raise QueryError.bad_query(
            name, "Is not a parameter here", closest_match(name, [*self._parameters, *others])
        )

    def _check_item_count(self, parameter: Parameter, values: Sized, pointer: str) -> None:
        if len(values) > self._limits.items:
            raise QueryError.limit_exceeded(pointer, f"Must not have more than {self._limits.items} values")
        if parameter.operator is Operator.BETWEEN and len(values) != _BOUNDS:
            raise QueryError.invalid_value(
                pointer, "Must be two values, the lower and the upper bound", "between"
            )

    def _text(self, parameter: Parameter, text: str, pointer: str) -> object:
        self._check_text_length(parameter, text, pointer)
        try:
            value = read_text(parameter.value, text)
        except ParseError as error:
            return _other_value(parameter, text, Fault(pointer, str(error), error.code, "query"))
        return value if parameter.other_types is None else _with_other_types(parameter, value, text)

    def _value(self, parameter: Parameter, value: object, pointer: str) -> object:
        if isinstance(value, str):
            self._check_text_length(parameter, value, pointer)
        try:
            read = parse_value(parameter.value, value)
        except ParseError as error:
            return _other_value(parameter, value, Fault(pointer, str(error), error.code, "query"))
        return read if parameter.other_types is None else _with_other_types(parameter, read, value)

    def _check_text_length(self, parameter: Parameter, text: str, pointer: str) -> None:
        if parameter.value.kind is Kind.TEXT and len(text) > self._limits.text:
            raise QueryError.limit_exceeded(
                pointer, f"Must not be longer than {self._limits.text} characters"
            )


def _other_value(parameter: Parameter, given: object, fault: Fault) -> ShownValues:
    """Return what may be meant by *given*, which the kind of the field cannot hold.

    Raises:
        QueryError: The store holds no such value.
    """
    if parameter.other_types is not None:
        if isinstance(given, UnexpectedValue):
            # A program that says so makes no mistake.
            return ShownValues((given,))
        if others := unexpected_values(given):
            return ShownValues(others, fault=fault)
    raise QueryError(Invalid((fault,))) from None


def _with_other_types(parameter: Parameter, value: object, given: object) -> object:
    """Return *value*, which *given* spells, and the values of other types that may be shown alike."""
    if parameter.other_types is None or not isinstance(given, str) or isinstance(value, UnexpectedValue):
        return value
    if not parameter.other_types.fullmatch(given):
        return value
    return ShownValues(unexpected_values(given), (value,))
