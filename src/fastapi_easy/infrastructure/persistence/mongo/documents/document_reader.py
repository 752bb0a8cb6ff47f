"""Documents → rows, also where other programs wrote them.

Documents whose values are what the class says take the way of a compiled function, which costs nothing for the others
but a look at each type. One odd value among them, and all are read again, value by value.
"""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from fastapi_easy.domain.changes.row import Row, Rows
from fastapi_easy.domain.field import UNSET, Field
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import NotOfKind
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.other_values import unexpected
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable

_Decode: TypeAlias = Callable[[Sequence[Document]], list[tuple[Any, ...]]]
"""Decodes the values of some fields of each document, in one tuple each. Raises `NotOfKind`."""

_MAX_DECODERS: Final = 64
"""Decoders that are kept for one resource, one for each choice of fields; beyond that the oldest goes."""

_MISSING: Final = object()
_PURE_FACTORIES: Final = frozenset({bool, bytes, dict, float, frozenset, int, list, set, str, tuple})
"""Default factories that always make the same value. Another one, like `uuid4`, would make a new value at each look."""


class DocumentReader:
    """Reads the documents of *resource*.

    A field that a document lacks has the default of the class; null where there is none, or where a function makes it.

    Args:
        resource: Whose documents.

        codecs: By the name of the field.

    Attributes:
        defaults: The BSON of the default of each field that has one, for documents that lack the field.
    """

    def __init__(self, resource: Resource[Any], codecs: Mapping[str, Codec]) -> None:
        self._key = resource.key
        self._is_composite = len(resource.key) > 1
        self._codecs = codecs
        self._decoders: dict[tuple[str, ...], _Decode] = {}
        self.defaults: Mapping[str, Any] = {
            name: kept
            for name, field in resource.stored_fields.items()
            if (kept := _default(field, codecs[name], resource)) is not None
        }

    def rows(self, documents: Sequence[Document], fields: tuple[str, ...]) -> Sequence[Row]:
        """Decode *fields* of each of *documents*."""
        try:
            return Rows(fields, self._decoder(fields)(documents))
        except NotOfKind:
            return [Row({name: self.value(each, name) for name in fields}) for each in documents]

    def row(self, document: Document, fields: tuple[str, ...]) -> Row:
        """Decode *fields* of *document*."""
        try:
            return Row(zip(fields, self._decoder(fields)((document,))[0], strict=True))
        except NotOfKind:
            return Row({name: self.value(document, name) for name in fields})

    def value(self, document: Document, name: str) -> Any:
        """Decode the field *name* of *document*, whatever is there."""
        kept = self._kept(document, name)
        try:
            return self._decode_or_default(name, kept)
        except NotOfKind:
            return unexpected(kept)

    def _kept(self, document: Document, name: str) -> object:
        if name not in self._key:
            return document.get(name, _MISSING)
        key = document[KEY]
        if not self._is_composite:
            return key
        if isinstance(key, dict):
            return key.get(name, _MISSING)
        # It cannot be taken apart: shown whole, in place of the first part.
        return key if name == self._key[0] else _MISSING

    def _decode_or_default(self, name: str, kept: object) -> object:
        if kept is None:
            return None
        if kept is _MISSING:
            kept = copy.deepcopy(self.defaults.get(name))
            return None if kept is None else self._codecs[name].decode(kept)
        return self._codecs[name].decode(kept)

    def _decoder(self, fields: tuple[str, ...]) -> _Decode:
        decoder = self._decoders.get(fields)
        if decoder is None:
            if len(self._decoders) >= _MAX_DECODERS:
                _ = self._decoders.pop(next(iter(self._decoders)), None)
            decoder = self._decoders[fields] = self._compile(fields)
        return decoder

    def _compile(self, fields: tuple[str, ...]) -> _Decode:
        """Compile a decoder: a list of tuple displays is three times as fast as a loop over names and codecs."""
        scope: dict[str, object] = {"UUID": UUID, "MISSING": _MISSING, "part": _key_part}
        columns = []
        for place, name in enumerate(fields):
            scope[f"decode_{place}"] = self._codecs[name].decode
            if name in self._key:
                kept = f"part(document[{KEY!r}], {name!r})" if self._is_composite else f"document[{KEY!r}]"
            elif name in self.defaults:
                kept = f"document.get({name!r}, MISSING)"
                scope[f"decode_{place}"] = self._decoder_with_default(name)
            else:
                kept = f"document.get({name!r})"
            usual = self._codecs[name].usual
            known = f"kept if {usual.replace('kept', f'(kept := {kept})', 1)} else " if usual else ""
            rest = "kept" if usual else f"(kept := {kept})"
            columns.append(f"{known}None if {rest} is None else decode_{place}(kept),")
        made: _Decode = eval(f"lambda documents: [({' '.join(columns)}) for document in documents]", scope)  # noqa: S307 - of numbers, and names in quotes
        return made

    def _decoder_with_default(self, name: str) -> Callable[[object], object]:
        return lambda kept: self._decode_or_default(name, kept)


def _key_part(key: object, name: str) -> object:
    """Return one part of a composite key."""
    if isinstance(key, dict):
        return key.get(name)
    raise NotOfKind


def _default(field: Field, codec: Codec, resource: Resource[Any]) -> Any:
    """Return the BSON of the default of *field*; `None` when there is none that is always the same."""
    if field.name in resource.key or field.store_default:
        return None
    if field.name == resource.version:
        # The first change counts up from there.
        return 0
    default = field.default
    if field.default_factory is not None:
        is_pure = inspect.unwrap(field.default_factory) in _PURE_FACTORIES
        default = field.default_factory() if is_pure else None
    if default is None or default is UNSET:
        return None
    try:
        return codec.encode(default)
    except (Unstorable, OverflowError):
        return None
