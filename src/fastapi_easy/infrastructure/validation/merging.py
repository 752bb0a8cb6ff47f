"""Updates that merge into JSON fields: the merges are set apart, and the rest is checked as in any update."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.domain.changes.merge import Merge
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Fault, Invalid, Outcome
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import Json, JsonMergePatch
from fastapi_easy.infrastructure.validation.python_values import to_document

Check: TypeAlias = Callable[[Values], Outcome[Values]]


def accept_merges(check: Check, resource: Resource[Any]) -> Check:
    """Return *check*, of updates, so that JSON fields may be given a `Merge`, and documents may be a merge patch."""
    merging = _MergingCheck(check, resource)
    names = merging.names
    if not names:
        # A merge patch that can reach into nothing is read like any document.
        return check

    def checked(given: Values) -> Outcome[Values]:
        if type(given) is Json:
            return check(given)
        if type(given) is JsonMergePatch:
            return merging.check_document(given.document)
        if any(type(given.get(name)) is Merge for name in names):
            return merging.check_python(given)
        return check(given)

    return checked


class _MergingCheck:
    """Checks updates that merge.

    Args:
        check: Checks those that do not.

        resource: The resource of the entities.

    Attributes:
        names: The JSON fields that callers may change.
    """

    def __init__(self, check: Check, resource: Resource[Any]) -> None:
        self._check = check
        self.names = tuple(name for name in resource.mergeable if name in resource.changeable)
        self._names_by_word = {word: name for name in self.names for word in _words(resource, name)}

    def check_document(self, document: object) -> Outcome[Values]:
        """Return the values of a merge patch as JSON has it."""
        if not isinstance(document, dict):
            return self._check(Json(document))
        words = [word for word in self._names_by_word if isinstance(document.get(word), dict)]
        merges = {}
        for word in words:
            name = self._names_by_word[word]
            merges[name] = Merge(document[word], self._completion(Json, word, name))
        rest = {word: value for word, value in document.items() if word not in words}
        return _with_merges(self._check(Json(rest)), merges)

    def check_python(self, given: Values) -> Outcome[Values]:
        """Return the values of a program, some of which are merges."""
        merges, faults = dict[str, Merge](), list[Fault]()
        for name in self.names:
            if type(value := given.get(name)) is not Merge:
                continue
            document = to_document(value.document)
            if isinstance(document, Invalid):
                faults += (replace(each, pointer=f"/{name}{each.pointer}") for each in document.faults)
            elif isinstance(document, dict):
                merges[name] = Merge(document, self._completion(dict, name, name))
            else:
                faults.append(Fault(f"/{name}", "A merge must be a dictionary", "dict_type"))
        if faults:
            return Failure(Invalid(tuple(faults)))
        rest = {name: value for name, value in given.items() if name not in merges}
        return _with_merges(self._check(rest), merges)

    def _completion(
        self, form: Callable[[dict[str, Any]], Values], word: str, name: str
    ) -> Callable[[object], Outcome[object]]:
        """Return what checks a whole document of the field *name*, which is called *word* in what *form* makes."""

        def complete(merged: object) -> Outcome[object]:
            whole = self._check(form({word: merged}))
            return whole if isinstance(whole, Failure) else Success(whole.unwrap()[name])

        return complete


def _with_merges(rest: Outcome[Values], merges: dict[str, Merge]) -> Outcome[Values]:
    return rest if isinstance(rest, Failure) else Success({**rest.unwrap(), **merges})


def _words(resource: Resource[Any], name: str) -> tuple[str, ...]:
    """Return what documents call the field *name*."""
    alias = resource.naming.alias_of(name)
    return (alias, name) if resource.fields[name].by_name and alias != name else (alias,)
