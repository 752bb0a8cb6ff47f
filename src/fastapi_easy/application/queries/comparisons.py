"""One comparison in text, JSON or Python becomes a leaf of a specification."""

from collections.abc import Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from typing import Any, Self

from fastapi_easy.application.queries.allowed_comparisons import CONNECTIVES, RESERVED, Parameter, nearest
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.domain.errors import BadQuery, Fault, Invalid
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import Operator, Specification
from fastapi_easy.domain.values.value_parsing import Unreadable, read_text, read_value

_BOUNDS = 2


class Misunderstood(Exception):
    """A query cannot be read; carries the error value its reader answers with."""

    def __init__(self, error: BadQuery | Invalid) -> None:
        self.error = error
        super().__init__(error.code)

    @classmethod
    def grammar(cls, parameter: str, reason: str, suggestion: str | None = None) -> Self:
        """A name or the form is not understood."""
        return cls(BadQuery(parameter[:64], reason, suggestion))

    @classmethod
    def value(cls, pointer: str, message: str, code: str, source: str = "query") -> Self:
        """A value is not of its type, or out of range."""
        return cls(Invalid((Fault(pointer, message, code, source),)))

    @classmethod
    def limit(cls, pointer: str, message: str, source: str = "query") -> Self:
        """The query is larger than a limit."""
        return cls.value(pointer, message, "limit_exceeded", source)


class Comparisons:
    """Reads the comparisons that one resource allows."""

    def __init__(self, parameters: Mapping[str, Parameter], limits: QueryLimits) -> None:
        self._parameters = parameters
        self._limits = limits

    def from_text(self, name: str, values: Sequence[str]) -> Specification:
        """The leaf for parameter *name*, which was given with each of *values*.

        Raises:
            Misunderstood: The parameter is unknown, or a value unreadable.
        """
        parameter = self._parameter(name, RESERVED)
        if not parameter.takes_list:
            if len(values) > 1:
                raise Misunderstood.grammar(name, "Was given more than once")
            return parameter.condition(self._text(parameter, values[0], f"/{name}"))
        if len(values) == 1 and parameter.splits_commas:
            values = values[0].split(",")
        self._fits(parameter, values, f"/{name}")
        return parameter.condition(tuple(self._text(parameter, each, f"/{name}") for each in values))

    def from_value(
        self, name: str, value: Any, pointer: str, others: frozenset[str] = CONNECTIVES
    ) -> Specification:
        """The leaf for *name*, given with a *value* of JSON or of Python.

        Args:
            name: In a `where` tree, or of a keyword.

            value: A list where the operator takes several.

            pointer: Where it stands.

            others: What else could be meant in the place of *name*.

        Raises:
            Misunderstood: The name is unknown, or the value unreadable.
        """
        parameter = self._parameter(name, others)
        if value is None:
            field = name if parameter.operator is Operator.EQUALS else name.rpartition("__")[0]
            asks_for_null = f"{field}__{Operator.IS_NULL}"
            if asks_for_null in self._parameters:
                raise Misunderstood.grammar(name, "null is not compared", asks_for_null)
            raise Misunderstood.value(pointer, "Must not be null", "null")
        if not parameter.takes_list:
            return parameter.condition(self._value(parameter, value, pointer))
        unordered = isinstance(value, AbstractSet) and parameter.operator is not Operator.BETWEEN
        if not (unordered or isinstance(value, Sequence)) or isinstance(value, str | bytes):
            raise Misunderstood.value(pointer, "Must be a list", "list_type")
        self._fits(parameter, value, pointer)
        return parameter.condition(
            tuple(self._value(parameter, each, f"{pointer}/{n}") for n, each in enumerate(value))
        )

    def from_search(self, field: str, word: str) -> str:
        """*word* as a value to search text for.

        Raises:
            Misunderstood: It cannot be stored text.
        """
        try:
            return str(read_text(Field(name=field, kind=Kind.TEXT), word))
        except Unreadable as error:
            raise Misunderstood.value("/q", str(error), error.code) from None

    def _parameter(self, name: str, others: frozenset[str]) -> Parameter:
        parameter = self._parameters.get(name)
        if parameter is not None:
            return parameter
        field, _, operator = name.partition("__")
        if operator and field in self._parameters:
            known = [word for word in self._parameters if word.startswith(f"{field}__")]
            raise Misunderstood.grammar(
                name,
                f"{field} cannot be compared like that",
                nearest(name, known) or nearest(name, self._parameters),
            )
        raise Misunderstood.grammar(
            name, "Is not a parameter here", nearest(name, [*self._parameters, *others])
        )

    def _fits(self, parameter: Parameter, values: Sized, pointer: str) -> None:
        if len(values) > self._limits.items:
            raise Misunderstood.limit(pointer, f"Must not have more than {self._limits.items} values")
        if parameter.operator is Operator.BETWEEN and len(values) != _BOUNDS:
            raise Misunderstood.value(pointer, "Must be two values, the lower and the upper bound", "between")

    def _text(self, parameter: Parameter, text: str, pointer: str) -> Any:
        self._short(parameter, text, pointer)
        try:
            return read_text(parameter.value, text)
        except Unreadable as error:
            raise Misunderstood.value(pointer, str(error), error.code) from None

    def _value(self, parameter: Parameter, value: Any, pointer: str) -> Any:
        if isinstance(value, str):
            self._short(parameter, value, pointer)
        try:
            return read_value(parameter.value, value)
        except Unreadable as error:
            raise Misunderstood.value(pointer, str(error), error.code) from None

    def _short(self, parameter: Parameter, text: str, pointer: str) -> None:
        if parameter.value.kind is Kind.TEXT and len(text) > self._limits.text:
            raise Misunderstood.limit(pointer, f"Must not be longer than {self._limits.text} characters")
