"""The trial of one caller: every operation of every resource, through every door."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.value_parsing import to_json_value
from fastapi_easy.testing.conformance.policy.actions import Arguments, action_values
from fastapi_easy.testing.conformance.policy.asking import Asking, Leak
from fastapi_easy.testing.conformance.policy.expectations import FOREIGN
from fastapi_easy.testing.conformance.policy.kernel_door import KernelDoor
from fastapi_easy.testing.conformance.policy.population import (
    as_tuple,
    to_one_relations,
)
from fastapi_easy.testing.conformance.policy.questions import Question
from fastapi_easy.testing.conformance.policy.reading import (
    Pair,
    filter_pairs,
    key_pairs,
    lone_reads,
    related_pairs,
)
from fastapi_easy.testing.conformance.policy.writing import (
    action_pairs,
    change_pairs,
    creations,
    deleted_pairs,
    overwrites,
    where_pairs,
)

_ON_DELETED: Final = (Operation.RESTORE, Operation.PURGE)
"""What is done to deleted entities, each to one of its own."""

_PAGES: Final = 50
"""Pages of a walk at most."""


class Trial(Asking):
    """Asks everything that there is to ask as one caller."""

    async def run(self, arguments: Arguments) -> list[Leak]:
        """Ask everything; return what was found.

        Args:
            arguments: Returns what the user says about the fields of an action.
        """
        await self._look()
        for resource in self._population.resources:
            await self._read(resource)
        for resource in self._population.resources:
            await self._write(resource, arguments)
        return self.leaks

    async def _read(self, resource: Resource[Any]) -> None:
        absent = self._absent(resource)
        for question in lone_reads(resource):
            await self._ask_everywhere(resource, question)
        await self._walk(resource)
        hidden = self._hidden_rows(resource)
        for row in hidden[:1]:
            for pair in filter_pairs(resource, row, absent, self._visible_rows(resource)):
                await self._ask_pair(resource, pair)
            version = resource.version_of(Row({name: row[name] for name in resource.readable}))
            for pair in key_pairs(resource, resource.key_of(row), self._missing(resource), version):
                await self._ask_pair(resource, pair)
        for relation in resource.relations.values():
            target = relation.target
            if self._expectations.may_see(self._caller, target.name):
                continue
            for row in self._hidden_rows(target)[:1]:
                visible = self._visible_rows(target)
                for pair in related_pairs(relation, row, self._absent(target), visible):
                    await self._ask_pair(resource, pair)

    async def _walk(self, resource: Resource[Any]) -> None:
        """Go through every page, and on from where the owner has come to."""
        for door in self._doors:
            question = Question(operation=Operation.LIST, params={"limit": 1}, about="page by page")
            for _ in range(_PAGES):
                answer = await self._ask(resource, question, door)
                if answer is None or answer.cursor is None:
                    break
                params: dict[str, Any] = {"limit": 1, "cursor": answer.cursor}
                question = Question(operation=Operation.LIST, params=params, about="page by page")
        started = await self._owner_door.ask(
            resource, Question(operation=Operation.LIST, params={"limit": 1})
        )
        if started is not None and started.cursor is not None:
            params = {"limit": 1, "cursor": started.cursor}
            door = KernelDoor(self._population.kernel, self._expectations.principal(self._caller))
            question = Question(operation=Operation.LIST, params=params, about="the cursor of the owner")
            _ = await self._ask(resource, question, door)

    async def _write(self, resource: Resource[Any], arguments: Arguments) -> None:
        for row in self._hidden_rows(resource)[:1]:
            await self._change(resource, row, arguments)
        for operation, stored in zip(_ON_DELETED, self._of(resource, deleted=True), strict=False):
            for pair in deleted_pairs(operation, stored.key, self._missing(resource)):
                await self._ask_pair(resource, pair, writes=True)
        for door in self._doors:
            for question in creations(resource, [self._values(resource) for _ in range(6)], ""):
                _ = await self._ask(resource, question, door, writes=True)
        await self._refer(resource)
        if self._caller == FOREIGN:
            await self._forge(resource)

    async def _change(self, resource: Resource[Any], row: Row, arguments: Arguments) -> None:
        """Change the entity of the hidden *row* in every way."""
        key, missing = resource.key_of(row), self._missing(resource)
        version = resource.version_of(Row({name: row[name] for name in resource.readable}))
        for name, action in (resource.actions or {}).items():
            given = {**action_values(action), **arguments(resource.name, name)}
            for pair in action_pairs(name, key, missing, given, version):
                await self._ask_pair(resource, pair, writes=True)
        same = {name: to_json_value(row[name]) for name in resource.upsert_by}
        parts = dict(zip(resource.key, map(to_json_value, as_tuple(key)), strict=True))
        for question in overwrites(resource, {**self._values(resource), **same}, parts):
            await self._ask_everywhere(resource, question, writes=True)
        for pair in self._wheres(resource, row):
            await self._ask_pair(resource, pair, writes=True)
        for pair in change_pairs(resource, key, missing, self._values(resource), version):
            await self._ask_pair(resource, pair, writes=True)

    async def _forge(self, resource: Resource[Any]) -> None:
        """Make entities that would be the owner's."""
        theirs = await self._population.owned(resource, self._expectations.owner)
        for number, door in enumerate(self._doors, 1):
            values = [{**self._values(resource), **_as_json(theirs, resource)} for _ in range(7)]
            for question in creations(resource, values, "for the owner"):
                _ = await self._ask(resource, question, door, writes=True)
            parts = dict(
                zip(resource.key, map(to_json_value, as_tuple(self._missing(resource, number))), strict=True)
            )
            question = Question(
                operation=Operation.IMPORT,
                lines=[{**values[6], **parts}],
                params={"mode": "restore"},
                about="restore, for the owner",
            )
            _ = await self._ask(resource, question, door, writes=True)

    def _wheres(self, resource: Resource[Any], row: Row) -> Iterable[Pair]:
        absent = self._absent(resource)
        for name in resource.filterable:
            if resource.fields[name].kind is Kind.TEXT and row[name] not in (None, absent[name]):
                change = {
                    each: value
                    for each, value in self._values(resource).items()
                    if each in resource.changeable and resource.fields[each].kind is Kind.TEXT
                }
                some = dict(list(change.items())[:1])
                yield from where_pairs(name, row[name], absent[name], some)
                return

    async def _refer(self, resource: Resource[Any]) -> None:
        """Refer to hidden entities from new ones and from the caller's own."""
        for relation in to_one_relations(resource):
            target = relation.target
            is_writable = set(relation.local) <= set(resource.writable)
            targets = [each for each in self._of(target) if set(relation.remote) <= set(target.key)]
            if not is_writable or not targets or self._expectations.may_see(self._caller, target.name):
                continue
            about = f"referring by {relation.name}"
            hidden, nothing = (
                {here: to_json_value(part) for here, part in zip(relation.local, as_tuple(key), strict=True)}
                for key in (targets[0].key, self._missing(target))
            )
            made = zip(
                creations(resource, [{**self._values(resource), **hidden} for _ in range(6)], about),
                creations(resource, [{**self._values(resource), **nothing} for _ in range(6)], about),
                strict=True,
            )
            for pair in made:
                await self._ask_pair(resource, pair, writes=True, is_refused=True)
            if self._caller != FOREIGN or not set(relation.local) <= set(resource.changeable):
                continue
            for own in self._population.of(resource, FOREIGN)[:1]:
                one, other = (
                    Question(operation=Operation.UPDATE, key=own.key, values=each, about=about)
                    for each in (hidden, nothing)
                )
                await self._ask_pair(resource, (one, other), writes=True, is_refused=True)


def _as_json(values: Mapping[str, Any], resource: Resource[Any]) -> dict[str, Any]:
    """Return the writable ones of *values* as JSON spells them."""
    return {name: to_json_value(value) for name, value in values.items() if name in resource.writable}
