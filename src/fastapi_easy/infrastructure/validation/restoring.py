"""Lines of an import that restore an entity: what `create` takes, and the fields that only a restore sets."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.stored_values import StoredValues
from fastapi_easy.domain.errors import Error, Invalid, Outcome
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.json import Json
from fastapi_easy.domain.values.limits import MAX_FAULTS
from fastapi_easy.infrastructure.validation.bodies import body_type
from fastapi_easy.infrastructure.validation.python_values import to_document
from fastapi_easy.infrastructure.validation.readers import Read, reader_of

_COMPUTED: Final = None
"""In place of a field: what is given for it is left out, since the store computes it again."""


def restore_check(
    resource: Resource[Any], create: Callable[[Values], Outcome[Values]]
) -> Callable[[Values], Outcome[Values]]:
    """Build the check of a line that may restore an entity of *resource*; *create* checks what a create takes."""
    own = resource.schemas.create
    taken = frozenset(resource.writable if own is None else own.model_fields)
    fields = [resource.fields[name] for name in resource.restorable if name not in taken]
    computed = [each for each in resource.fields.values() if each.computed and each.name not in taken]
    shown = resource.schemas.read
    answers = {} if shown is None else shown.model_computed_fields
    words = {info.alias or name for name, info in answers.items()} - taken
    if not (fields or computed or words):
        # The kernel asks for `create` then, at no cost per line.
        return create
    by_alias = _Restore(fields, computed, words, is_json=True)
    by_name = _Restore(fields, computed, words, is_json=False)
    known = by_alias.words

    def check(given: Values) -> Outcome[Values]:
        if type(given) is Json:
            document = given.document
            # Most lines of most imports are like that.
            if type(document) is dict and known.isdisjoint(document):
                return create(given)
            return by_alias(document, create, Json)
        return by_name(given, create, _unchanged)

    return check


class _Restore:
    """Checks a document whose members are called one way.

    Args:
        fields: The fields that only a restore sets.

        computed: The fields that the store computes.

        words: What answers show that no store keeps.

        is_json: Whether fields are called by their aliases.

    Attributes:
        words: What is given to a restore alone.
    """

    def __init__(
        self, fields: Iterable[Field], computed: Iterable[Field], words: Iterable[str], *, is_json: bool
    ) -> None:
        self._fields: dict[str, Field | None] = dict.fromkeys(words, _COMPUTED)
        for each in computed:
            self._fields.update(dict.fromkeys(_words(each, is_json=is_json), _COMPUTED))
        members = list(fields)
        for each in members:
            self._fields.update(dict.fromkeys(_words(each, is_json=is_json), each))
        self.words = frozenset(self._fields)
        # Read by the word that was used, so that faults point at what the caller has written.
        self._read: Read = reader_of(
            body_type(
                (replace(each, name=word, alias=None) for word, each in self._fields.items() if each),
                "restore",
                partial=True,
                by_alias=False,
            )
        )

    def __call__(
        self,
        document: object,
        create: Callable[[Values], Outcome[Values]],
        wrap: Callable[[Any], Values],
    ) -> Outcome[Values]:
        """Return the values of a new entity, as `StoredValues` when some of them only a restore sets."""
        known = self._fields
        if not isinstance(document, Mapping) or known.keys().isdisjoint(document):
            return create(wrap(document))
        rest: dict[str, Any] = {}
        restored: dict[str, Any] = {}
        names: set[str] = set()
        for word, value in document.items():
            field = known.get(word)
            if word not in known or (field is not None and field.name in names):
                # A field that is given by its name and its alias is left to `create`, which knows only one of them.
                rest[word] = value
            elif field is not None and not (value is None and field.generated and not field.nullable):
                restored[word] = value
                names.add(field.name)
        checked = create(wrap(rest))
        if not restored:
            return checked
        values = self._check(restored)
        if isinstance(checked, Failure) or isinstance(values, Invalid):
            return _join_faults(checked, values)
        return Success(StoredValues({**checked.unwrap(), **values}, values))

    def _check(self, restored: Values) -> dict[str, Any] | Invalid:
        document = to_document(restored)
        values = document if isinstance(document, Invalid) else self._read(document)
        if isinstance(values, Invalid):
            return values
        return {field.name: value for word, value in values.items() if (field := self._fields[word])}


def _unchanged(values: Values) -> Values:
    return values


def _words(field: Field, *, is_json: bool) -> tuple[str, ...]:
    """Return what *field* is called."""
    if field.alias is None or not is_json:
        return (field.name,)
    return (field.alias, field.name) if field.by_name else (field.alias,)


def _join_faults(checked: Outcome[Values], values: Values | Invalid) -> Failure[Error]:
    """Return the failure of a line with the faults of both of its parts."""
    more = values.faults if isinstance(values, Invalid) else ()
    if not isinstance(checked, Failure):
        return Failure(Invalid(more))
    first = checked.failure()
    if not isinstance(first, Invalid):
        return checked
    return Failure(Invalid((*first.faults, *more)[:MAX_FAULTS]))
