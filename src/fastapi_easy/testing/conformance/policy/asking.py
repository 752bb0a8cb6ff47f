"""How one caller asks, and how it is noticed that they were told or changed too much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.value_parsing import parse_value
from fastapi_easy.testing.conformance.policy.answers import Answer
from fastapi_easy.testing.conformance.policy.evidence import Evidence, Rows, changes_between
from fastapi_easy.testing.conformance.policy.examples import example_of
from fastapi_easy.testing.conformance.policy.expectations import FOREIGN, OWNER
from fastapi_easy.testing.conformance.policy.kernel_door import KernelDoor
from fastapi_easy.testing.conformance.policy.population import (
    Population,
    Stored,
)
from fastapi_easy.testing.conformance.policy.questions import Door, Question
from fastapi_easy.testing.conformance.policy.reading import (
    Pair,
)

_ABSENT: Final = 900_000
"""The number in the values that no entity has."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that a caller reached though it was hidden from them.

    Attributes:
        caller: Which of the callers.

        resource: The name of the resource.

        operation: The operation or action, and what was special about the call.

        door: The way in: `python` or `http`.

        what: What was reached.
    """

    caller: str
    resource: str
    operation: str
    door: str
    what: str

    def __str__(self) -> str:
        """One line of a report."""
        return f"{self.resource}.{self.operation} over {self.door}, as the {self.caller} caller: {self.what}"


def report_of(leaks: list[Leak]) -> str:
    """Return the lines that a failing test prints."""
    lines = [f"{len(leaks)} leaks:", *(f"  {leak}" for leak in dict.fromkeys(leaks))]
    return "\n".join(lines)


class Asking:
    """Asks as *caller*, and keeps what should not have been answered or changed.

    Args:
        population: The entities.

        caller: Which of the callers.

        doors: The ways in.

    Attributes:
        leaks: What was found.
    """

    def __init__(self, population: Population, caller: str, doors: Sequence[Door]) -> None:
        self.leaks: list[Leak] = []
        self._population = population
        self._expectations = population.expectations
        self._caller = caller
        self._doors = doors
        self._owner_door = KernelDoor(population.kernel, self._expectations.owner)
        self._hidden = [each for each in population.every if caller != FOREIGN or each.caller == OWNER]
        self._hidden_places = {(each.resource.name, repr(each.key)) for each in self._hidden}
        self._stored: Rows = {}
        self._evidence: Evidence | None = None

    async def _look(self) -> None:
        """Keep what is stored now."""
        self._stored = await self._population.rows()
        unseen = {
            each.name
            for each in self._population.resources
            if not self._expectations.may_see(self._caller, each.name)
        }
        self._evidence = Evidence(self._population, self._stored, self._hidden, unseen)

    async def _ask_everywhere(
        self, resource: Resource[Any], question: Question, *, writes: bool = False
    ) -> None:
        for door in self._doors:
            _ = await self._ask(resource, question, door, writes=writes)

    async def _ask_pair(
        self, resource: Resource[Any], pair: Pair, *, writes: bool = False, is_refused: bool = False
    ) -> None:
        for door in self._doors:
            hidden, nothing = pair
            answer = await self._ask(resource, hidden, door, writes=writes)
            if answer is None:
                continue
            compared = await door.ask(resource, nothing)
            if writes and compared is not None and compared.done:
                await self._look()
            if is_refused and answer.done:
                self._note(resource, hidden, door, f"something hidden is referred to: {_short(answer)}")
            elif compared is not None and answer.told != compared.told:
                self._note(
                    resource,
                    hidden,
                    door,
                    f"something hidden is answered by {_short(answer)}, and nothing by {_short(compared)}",
                )

    async def _ask(
        self, resource: Resource[Any], question: Question, door: Door, *, writes: bool = False
    ) -> Answer | None:
        """Ask one question, and note what it tells or changes; `None` when it may be answered, or cannot be asked."""
        if all(self._permits(resource, each) for each in (question.operation, *question.needs)):
            return None
        answer = await door.ask(resource, question)
        if answer is None or self._evidence is None:
            return None
        told = self._evidence.told_by(answer, resource, question)
        if told is None and question.operation in {Operation.LIST, Operation.COUNT, Operation.AGGREGATE}:
            counts = not question.params.get("group_by") and question.params.get("total", "count") == "count"
            told = self._evidence.counted_by(answer, resource) if counts else None
        if told is not None:
            self._note(resource, question, door, told)
        if writes:
            await self._check_changes(resource, question, door, answer)
        return answer

    async def _check_changes(
        self, resource: Resource[Any], question: Question, door: Door, answer: Answer
    ) -> None:
        before, after = self._stored, await self._population.rows()
        places = self._hidden_places if self._caller == FOREIGN else None
        changed = changes_between(before, after, places)
        if changed is not None:
            self._note(resource, question, door, changed)
        elif self._caller == FOREIGN and not self._expectations.may_see(FOREIGN, resource.name):
            for key, row in after[resource.name].items():
                if key not in before[resource.name] and await self._is_the_owners(resource, row):
                    self._note(resource, question, door, f"{resource.name} {key} was put among the owner's")
        elif answer.done and self._caller != FOREIGN:
            self._note(resource, question, door, f"is answered as if it were done: {_short(answer)}")
        if after != before:
            await self._look()

    async def _is_the_owners(self, resource: Resource[Any], row: Row) -> bool:
        question = Question(operation=Operation.GET, key=resource.key_of(row))
        seen = await self._owner_door.ask(resource, question)
        return seen is not None and seen.done

    def _permits(self, resource: Resource[Any], operation: str) -> bool:
        return self._expectations.permits(self._caller, resource.name, operation)

    def _note(self, resource: Resource[Any], question: Question, door: Door, what: str) -> None:
        self.leaks.append(Leak(self._caller, resource.name, question.words, door.name, what))

    def _of(self, resource: Resource[Any], *, deleted: bool = False) -> list[Stored]:
        return [each for each in self._hidden if each.resource is resource and each.deleted is deleted]

    def _hidden_rows(self, resource: Resource[Any]) -> list[Row]:
        stored = self._stored[resource.name]
        return [stored[repr(each.key)] for each in self._of(resource) if repr(each.key) in stored]

    def _visible_rows(self, resource: Resource[Any]) -> list[Row]:
        places = {repr(each.key) for each in self._hidden if each.resource is resource}
        return [row for key, row in self._stored[resource.name].items() if key not in places]

    def _values(self, resource: Resource[Any]) -> dict[str, Any]:
        return self._population.writable_values(resource, FOREIGN)

    def _absent(self, resource: Resource[Any], number: int = 0) -> Row:
        """Return a row that no entity of *resource* is like; another one for each *number*."""
        made = {}
        for name, field in resource.fields.items():
            if field.kind in {Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.UUID}:
                made[name] = parse_value(field, example_of(field, _ABSENT + number, "nobody"))
        return Row({**dict.fromkeys(resource.fields), **made})

    def _missing(self, resource: Resource[Any], number: int = 0) -> Key:
        """Return a key that no entity of *resource* has; another one for each *number*."""
        absent = self._absent(resource, number)
        parts = []
        for name in resource.key:
            value = absent[name]
            field = resource.fields[name]
            parts.append(
                parse_value(field, example_of(field, _ABSENT + number, "nobody")) if value is None else value
            )
        return parts[0] if len(parts) == 1 else tuple(parts)


def _short(answer: Answer) -> str:
    told = answer.told
    return told if len(told) <= 160 else f"{told[:160]}…"
