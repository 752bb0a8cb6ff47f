"""The answers of the reading use cases as JSON, and what identifies the questions to them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from fastapi_easy.application.caching.fingerprint import Fingerprint
from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.application.caching.written_rows import read_rows, write_rows
from fastapi_easy.application.caching.written_values import read_column, write_column
from fastapi_easy.application.resources.aggregate_entities import AggregateEntities
from fastapi_easy.application.resources.count_entities import CountEntities
from fastapi_easy.application.resources.get_entity import GetEntity
from fastapi_easy.application.resources.list_entities import ListEntities
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.aggregation import Group
from fastapi_easy.domain.queries.page import Cursor, Page
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource

C = TypeVar("C")
A = TypeVar("A")


class Answers(Protocol, Generic[C, A]):
    """How one operation is asked, and its answers are written.

    Attributes:
        command: The class of its commands.
    """

    command: type[C]

    def ask(self, command: C, fingerprint: Fingerprint) -> None:
        """Add to *fingerprint* what *command* asks for.

        Raises:
            Uncacheable: That has no exact text.
        """
        ...

    def write(self, answer: A, command: C, resource: Resource[Any]) -> Any:
        """Return *answer* to *command* as JSON.

        Raises:
            Uncacheable: It cannot be read again as it is.
        """
        ...

    def read(self, written: Any, command: C, resource: Resource[Any]) -> A:
        """Return the answer that `write` has written for an equal *command*.

        Raises:
            KeyError, TypeError, ValueError: It has not written this.
        """
        ...


class _OneRow:
    command = GetEntity

    def ask(self, command: GetEntity, fingerprint: Fingerprint) -> None:
        if command.as_of is not None:
            raise Uncacheable
        fingerprint.add(command.key)
        for include in command.includes:
            fingerprint.add_include(include)

    def write(self, answer: Row, command: GetEntity, resource: Resource[Any]) -> Any:
        return write_rows([answer], resource)

    def read(self, written: Any, command: GetEntity, resource: Resource[Any]) -> Row:
        (row,) = read_rows(written, resource)
        return row


class _OnePage:
    command = ListEntities

    def ask(self, command: ListEntities, fingerprint: Fingerprint) -> None:
        if command.query.as_of is not None:
            raise Uncacheable
        fingerprint.add_query(command.query)

    def write(self, answer: Page[Row], command: ListEntities, resource: Resource[Any]) -> Any:
        if answer.problems:
            raise Uncacheable
        place = None if answer.next is None else _write_each(answer.next.values, {})
        return [write_rows(answer.items, resource), answer.total, place]

    def read(self, written: Any, command: ListEntities, resource: Resource[Any]) -> Page[Row]:
        items, total, place = written
        following = None if place is None else Cursor(_read_each(place, {}))
        return Page(read_rows(items, resource), total, following)


class _Number:
    command = CountEntities

    def ask(self, command: CountEntities, fingerprint: Fingerprint) -> None:
        fingerprint.add_specification(command.specification)

    def write(self, answer: int, command: CountEntities, resource: Resource[Any]) -> Any:
        return answer

    def read(self, written: Any, command: CountEntities, resource: Resource[Any]) -> int:
        return int(written)


class _Groups:
    command = AggregateEntities

    def ask(self, command: AggregateEntities, fingerprint: Fingerprint) -> None:
        fingerprint.add_aggregation(command.aggregation)

    def write(self, answer: Sequence[Group], command: AggregateEntities, resource: Resource[Any]) -> Any:
        fields = self._fields(command, resource)
        return [(_write_each(group.by, fields), _write_each(group.totals, {})) for group in answer]

    def read(self, written: Any, command: AggregateEntities, resource: Resource[Any]) -> Sequence[Group]:
        fields = self._fields(command, resource)
        return [Group(_read_each(by, fields), _read_each(totals, {})) for by, totals in written]

    def _fields(self, command: AggregateEntities, resource: Resource[Any]) -> Mapping[int, Any]:
        return {place: resource.fields[name] for place, name in enumerate(command.aggregation.group_by)}


def _write_each(values: Sequence[object], fields: Mapping[int, Any]) -> list[Any]:
    return [write_column((value,), fields.get(place)) for place, value in enumerate(values)]


def _read_each(written: Sequence[Any], fields: Mapping[int, Any]) -> tuple[Any, ...]:
    return tuple(
        read_column(code, values, fields.get(place))[0] for place, (code, values) in enumerate(written)
    )


ANSWERS: Final[Mapping[Operation, Answers[Any, Any]]] = {
    Operation.GET: _OneRow(),
    Operation.LIST: _OnePage(),
    Operation.COUNT: _Number(),
    Operation.AGGREGATE: _Groups(),
}
"""Of the operations whose answers are kept."""
