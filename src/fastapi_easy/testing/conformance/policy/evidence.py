"""Where an answer, or what is stored afterwards, shows more than a caller may know."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.interfaces.formats.shown_key import shown_key
from fastapi_easy.testing.conformance.policy.answers import Answer, find_told, normal_form, telling_values
from fastapi_easy.testing.conformance.policy.population import Population, Stored, to_one_relations
from fastapi_easy.testing.conformance.policy.questions import Question

Rows = Mapping[str, Mapping[str, Row]]
"""Everything stored, by resource and key."""


class Evidence:
    """Recognises hidden entities in answers.

    Args:
        population: The entities of the suite.

        stored: Everything that is stored.

        hidden: The entities that the caller may neither see nor change.

        unseen: The names of the resources whose hidden entities the caller may not see.
    """

    def __init__(
        self, population: Population, stored: Rows, hidden: Collection[Stored], unseen: Collection[str]
    ) -> None:
        secret = [each for each in hidden if each.resource.name in unseen]
        places = {(each.resource.name, repr(each.key)) for each in secret}
        rows = {name: list(found.items()) for name, found in stored.items()}
        kept: list[Mapping[str, Any]] = []
        others: list[Mapping[str, Any]] = []
        for resource in population.resources:
            # Keys are looked for where keys stand: a small one is the number of many things.
            numbers = {*resource.key, *(name for each in to_one_relations(resource) for name in each.local)}
            for key, row in rows[resource.name]:
                is_secret = (resource.name, key) in places
                values = {
                    name: value
                    for name, value in row.items()
                    if not (name in numbers and isinstance(value, int))
                }
                (kept if is_secret else others).append(values)
        self._secrets = telling_values(kept) - telling_values(others)
        self._marks = {population.mark(each.resource, each.caller) for each in secret}
        self._keys: dict[str, set[tuple[str, ...]]] = {}
        for each in secret:
            self._keys.setdefault(each.resource.name, set()).add(_spelled(each.key))
        alive = [each for each in secret if not each.deleted]
        self._most = {
            name: len(found) - sum(each.resource.name == name for each in secret)
            for name, found in stored.items()
        }
        self._hidden_alive = {each.resource.name for each in alive}

    def told_by(self, answer: Answer, resource: Resource[Any], question: Question) -> str | None:
        """Return what *answer* tells of hidden entities beyond what *question* knew; `None` when it tells nothing."""
        for name, key in _keys_in(answer.content, resource):
            if key in self._keys.get(name, ()):
                return f"the answer holds {name} {', '.join(key)}"
        given = {normal_form(each) for each in question.given()}
        told = find_told(answer.content, self._secrets, self._marks, given)
        return None if told is None else f"the answer holds the value {told!r} of a hidden entity"

    def counted_by(self, answer: Answer, resource: Resource[Any]) -> str | None:
        """Return how *answer*, a number of entities, is larger than what there is for the caller."""
        number, most = _number_in(answer.content), self._most.get(resource.name, 0)
        if number is None or number <= most or resource.name not in self._hidden_alive:
            return None
        return f"{number} entities are counted, and {most} at most are not hidden"


def changes_between(before: Rows, after: Rows, places: Collection[tuple[str, str]] | None) -> str | None:
    """Return what differs between *before* and *after*, of the entities at *places* or of all; `None` if nothing."""
    for name, rows in before.items():
        for key, row in rows.items():
            if places is not None and (name, key) not in places:
                continue
            if key not in after[name]:
                return f"{name} {key} is gone"
            if after[name][key] != row:
                fields = [each for each in row if row[each] != after[name][key][each]]
                return f"{name} {key} has other values in {', '.join(fields)}"
        if places is None and (new := after[name].keys() - rows.keys()):
            return f"{name} {', '.join(sorted(new))} was made"
    return None


def objects_of(content: Any, resource: Resource[Any]) -> Iterator[tuple[Resource[Any], Mapping[str, Any]]]:
    """Yield every object in *content*, an answer about *resource*, with the resource it would be an entity of."""
    if isinstance(content, list | tuple):
        for each in content:
            yield from objects_of(each, resource)
    elif isinstance(content, Mapping):
        yield resource, content
        for name, value in content.items():
            relation = resource.relations.get(name)
            yield from objects_of(value, resource if relation is None else relation.target)


def _keys_in(content: Any, resource: Resource[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the key of every entity in *content*, each with the name of its resource."""
    for owner, found in objects_of(content, resource):
        for names in (owner.key, tuple(map(owner.naming.alias_of, owner.key))):
            if all(name in found for name in names):
                yield owner.name, tuple(normal_form(found[name]) for name in names)
                break


def _spelled(key: object) -> tuple[str, ...]:
    shown = shown_key(key)
    return tuple(normal_form(part) for part in (shown if isinstance(shown, list) else [shown]))


def _number_in(content: Any) -> int | None:
    """Return the number of entities that *content* tells: a count, the total of a page, or that of a single group."""
    if isinstance(content, Mapping):
        totals = content.get("totals")
        if isinstance(totals, Mapping):
            return _number_in(totals)
        if "items" in content:
            return _whole_number(content.get("total")) or _number_in(content["items"])
        return _whole_number(content.get("count")) if len(content) == 1 else None
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], Mapping):
        return _number_in(content[0]) if "totals" in content[0] else None
    return _whole_number(content)


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
