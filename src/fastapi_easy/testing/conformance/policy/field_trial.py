"""The trial of the owner: no operation shows fields that they may not read, or sets those they may not write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.queries.aggregation import Function, functions_of
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.value_parsing import to_json_value
from fastapi_easy.testing.conformance.policy.actions import Arguments, action_values
from fastapi_easy.testing.conformance.policy.answers import find_told, telling_values
from fastapi_easy.testing.conformance.policy.asking import Leak
from fastapi_easy.testing.conformance.policy.evidence import Rows, objects_of
from fastapi_easy.testing.conformance.policy.examples import example_of
from fastapi_easy.testing.conformance.policy.expectations import OWNER
from fastapi_easy.testing.conformance.policy.population import NEW, Population
from fastapi_easy.testing.conformance.policy.questions import Door, Question
from fastapi_easy.testing.conformance.policy.reading import lone_reads
from fastapi_easy.testing.conformance.policy.writing import creations

_OTHER: Final = 300
"""The number in the values that the owner tries to set."""


class FieldTrial:
    """Asks as the owner for fields that they may not read, and sets those they may not write.

    Args:
        population: The entities.

        doors: The ways in, for the owner.

    Attributes:
        leaks: What was found.
    """

    def __init__(self, population: Population, doors: Sequence[Door]) -> None:
        self.leaks: list[Leak] = []
        self._population = population
        self._expectations = population.expectations
        self._doors = doors
        self._arguments: Arguments = _no_arguments

    async def run(self, arguments: Arguments) -> list[Leak]:
        """Ask everything; return what was found.

        Args:
            arguments: Returns what the user says about the fields of an action.
        """
        self._arguments = arguments
        for resource in self._population.resources:
            for name in self._expectations.unreadable.get(resource.name, ()):
                await self._read(resource, name)
            for name in self._expectations.unwritable.get(resource.name, ()):
                await self._write(resource, name)
        return self.leaks

    async def _read(self, resource: Resource[Any], name: str) -> None:
        own = self._own_row(resource, await self._population.rows())
        secrets = telling_values([{name: own[name]}])
        for door in self._doors:
            for asked in _questions_about(resource, name, own):
                await self._expect_refusal(resource, asked, door, name)
            for asked in (*lone_reads(resource), *self._harmless(resource, own)):
                await self._search(resource, asked, door, name, secrets)
        leading = [each for other in self._population.resources for each in other.relations.values()]
        for relation in (each for each in leading if each.target is resource):
            path = f"{relation.name}.{name}"
            for door in self._doors:
                for asked in _questions_along(path, own[name], many=relation.many):
                    await self._expect_refusal(relation.source, asked, door, path)

    async def _expect_refusal(self, resource: Resource[Any], asked: Question, door: Door, what: str) -> None:
        answer = await door.ask(resource, asked)
        if answer is not None and answer.done:
            self._note(resource, asked, door, f"is answered, and tells {what}: {answer.kind}")

    def _harmless(self, resource: Resource[Any], own: Row) -> Iterator[Question]:
        """Yield what the owner may do with their own, and is answered with an entity."""
        key, version = resource.key_of(own), self._version(resource, own)
        yield Question(operation=Operation.GET, key=key)
        for relation in resource.relations.values():
            yield Question(operation=Operation.GET, key=key, params={"include": relation.name})
        yield Question(operation=Operation.UPDATE, key=key, values={}, version=version, about="no values")
        yield Question(operation=Operation.BULK, items=[("update", key, {})], about="update, no values")
        changes = {each: made for each, made in self._values(resource).items() if each in resource.changeable}
        yield Question(operation=Operation.REPLACE, key=key, values=changes, version=version)
        for action, declared in (resource.actions or {}).items():
            given = {**action_values(declared), **self._arguments(resource.name, action)}
            yield Question(operation=action, key=key, values=given, version=version)
        for deleted in self._population.of(resource, OWNER, deleted=True)[:1]:
            yield Question(operation=Operation.RESTORE, key=deleted.key)
        values = [self._values(resource) for _ in range(6)]
        yield from creations(resource, values, "")

    async def _search(
        self, resource: Resource[Any], asked: Question, door: Door, name: str, secrets: set[str]
    ) -> None:
        answer = await door.ask(resource, asked)
        if answer is None:
            return
        told = find_told(answer.content, secrets, ())
        shown = told is not None or any(
            name in found or resource.naming.alias_of(name) in found
            for owner, found in objects_of(answer.content, resource)
            if owner is resource
        )
        if shown:
            self._note(resource, asked, door, f"the answer holds {name}")

    async def _write(self, resource: Resource[Any], name: str) -> None:
        field = resource.fields[name]
        value = example_of(field, _OTHER, self._population.mark(resource, NEW))
        for door in self._doors:
            for asked in self._settings(resource, name, value):
                before = await self._population.rows()
                answer = await door.ask(resource, asked)
                after = await self._population.rows()
                if answer is None:
                    continue
                if _is_set(before[resource.name], after[resource.name], name, value):
                    self._note(resource, asked, door, f"sets {name}")
                elif answer.done and asked.operation != Operation.REPLACE:
                    self._note(resource, asked, door, f"is answered as if {name} were set: {answer.kind}")
            await self._replace_without(resource, name, door)

    def _settings(self, resource: Resource[Any], name: str, value: Any) -> Iterator[Question]:
        stored = self._population.of(resource, OWNER)[0]
        given, key = {name: value}, stored.key
        whole = {each: made for each, made in self._values(resource).items() if each in resource.changeable}
        if name in resource.changeable:
            yield Question(operation=Operation.UPDATE, key=key, values=given, about=name)
            yield Question(operation=Operation.REPLACE, key=key, values={**whole, **given}, about=name)
            for atomic in (True, False):
                items = [("update", key, given)]
                yield Question(operation=Operation.BULK, items=items, atomic=atomic, about=f"update {name}")
            key_name = resource.key[0]
            if key_name in resource.filterable:
                part = key[0] if isinstance(key, tuple) else key
                where = {key_name: to_json_value(part)}
                yield Question(
                    operation=Operation.BULK,
                    items=[("update_where", where, given)],
                    about=f"update_where {name}",
                )
        yield from creations(resource, [{**self._values(resource), **given} for _ in range(6)], name)

    async def _replace_without(self, resource: Resource[Any], name: str, door: Door) -> None:
        """Replace an entity without naming the field, which has to stay as it is."""
        stored = self._population.of(resource, OWNER)[0]
        whole = {each: made for each, made in self._values(resource).items() if each in resource.changeable}
        before = (await self._population.rows())[resource.name].get(repr(stored.key))
        asked = Question(operation=Operation.REPLACE, key=stored.key, values=whole, about=f"without {name}")
        _ = await door.ask(resource, asked)
        after = (await self._population.rows())[resource.name].get(repr(stored.key))
        if before is not None and after is not None and before[name] != after[name]:
            self._note(resource, asked, door, f"changes {name}")

    def _values(self, resource: Resource[Any]) -> dict[str, Any]:
        return self._population.writable_values(resource, OWNER)

    def _own_row(self, resource: Resource[Any], rows: Rows) -> Row:
        return rows[resource.name][repr(self._population.of(resource, OWNER)[0].key)]

    def _version(self, resource: Resource[Any], own: Row) -> str | None:
        if not resource.requires_version:
            return None
        return resource.version_of(Row({name: own[name] for name in resource.readable}))

    def _note(self, resource: Resource[Any], asked: Question, door: Door, what: str) -> None:
        self.leaks.append(Leak(OWNER, resource.name, asked.words, door.name, what))


def _no_arguments(_resource: str, _action: str) -> Mapping[str, object]:
    return {}


def _questions_about(resource: Resource[Any], name: str, own: Row) -> Iterator[Question]:
    """Yield what cannot be answered without telling something about the field *name*."""
    value = own[name]
    if name in resource.filterable and value is not None:
        for operation in (Operation.LIST, Operation.COUNT, Operation.EXPORT, Operation.AGGREGATE):
            more = {"total": "count"} if operation is Operation.AGGREGATE else {}
            yield Question(operation=operation, params={name: value, **more}, about=f"{name}=…")
        where = {"not": {f"{name}__ne": to_json_value(value)}}
        yield Question(operation=Operation.LIST, where=where, about=f"a search by {name}")
        yield Question(
            operation=Operation.BULK, items=[("delete_where", where, None)], about=f"delete_where {name}"
        )
    for operation in (Operation.LIST, Operation.EXPORT):
        if name in resource.sortable:
            yield Question(operation=operation, params={"sort": name}, about=f"sort={name}")
        yield Question(operation=operation, params={"fields": name}, about=f"fields={name}")
    yield Question(
        operation=Operation.AGGREGATE, params={"group_by": name, "total": "count"}, about=f"group_by={name}"
    )
    for function in set(functions_of(resource.fields[name])) - {Function.COUNT}:
        total = f"{function}:{name}"
        yield Question(operation=Operation.AGGREGATE, params={"total": total}, about=total)


def _questions_along(path: str, value: object, *, many: bool) -> Iterator[Question]:
    yield Question(operation=Operation.LIST, params={path: value}, about=f"{path}=…")
    yield Question(operation=Operation.COUNT, params={path: value}, about=f"{path}=…")
    if not many:
        yield Question(operation=Operation.LIST, params={"sort": path}, about=f"sort={path}")


def _is_set(before: Mapping[str, Row], after: Mapping[str, Row], name: str, value: object) -> bool:
    """Return whether *value* is in the field *name* of an entity that did not have it before."""
    return any(
        to_json_value(row[name]) == value and (key not in before or before[key][name] != row[name])
        for key, row in after.items()
    )
