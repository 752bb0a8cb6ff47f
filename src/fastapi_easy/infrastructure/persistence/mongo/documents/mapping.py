"""A resource ↔ a collection: its name, the paths of its fields, rows ↔ documents."""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.replacement import resolve_store_defaults
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import DeclarationError, Fault, Invalid, Key
from fastapi_easy.domain.field import UNSET, Field
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.domain.values.value_parsing import format_text
from fastapi_easy.infrastructure.entities.plain import recognises
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec, make_codec
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.document_reader import DocumentReader
from fastapi_easy.infrastructure.persistence.mongo.documents.other_values import candidates, may_be_key
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable
from fastapi_easy.infrastructure.persistence.mongo.errors import CallRejected, null_not_allowed

LOOKUP_PREFIX: Final = "__fe_"
"""Prefix of the names that pipelines make up; no field of a resource begins with two underscores."""

SYSTEM_COLLECTION: Final = "fastapi_easy"
"""The collection of the adapter itself: counters, and the lock of schema changes."""

_COLLECTION: Final = re.compile(r"(?!system\.)[^$\x00.][^$\x00]{0,119}")
_NAME: Final = re.compile(r"[^$\x00.][^\x00.]*")


def collection_of(stored: type[object]) -> str:
    """Return the name of the collection: `__collection__` of the class, else its name in lower case."""
    return str(getattr(stored, "__collection__", stored.__name__.lower()))


def find_invalid_names(name: str, shape: Shape) -> list[str]:
    """Return a sentence for each field whose name MongoDB cannot take, with the way to mend it."""
    return [
        f"{name}.{field.name} cannot be the name of a field in MongoDB: use one without '.', and without '$' in front"
        for field in shape.fields
        if not _NAME.fullmatch(field.name) or (field.name == KEY and shape.key != (KEY,))
    ]


class Plan:
    """The parts of one resource that are prepared once: codecs, paths, defaults and the reader of documents.

    Args:
        resource: Whose entities are stored.

    Attributes:
        resource: Likewise.

        collection: The name of its collection.

        codecs: By the name of the field.

        names: Of the fields, in their order.

        generated_key: The key field that the store generates; `None` when callers choose keys.

        unique_rules: The fields of each unique rule but the key.

        reader: Makes rows of documents.

        has_text_index: Whether the collection has the text index that the resource declares. Not until
            `MongoDatabase.prepare` has looked.

        path_codecs: Of the places inside of JSON fields that queries may name, by name.

        enforced: The fields that no document of the collection lacks or holds a value of another type in, as the
            validator of the collection sees to. None until `MongoDatabase.prepare` has read it.

    Raises:
        DeclarationError: Its class is an ORM's, or names an impossible collection.
    """

    def __init__(self, resource: Resource[Any]) -> None:
        self.resource = resource
        self.collection = _checked_collection_name(resource)
        self.codecs: Mapping[str, Codec] = {
            name: make_codec(field) for name, field in resource.stored_fields.items()
        }
        self.names = tuple(resource.stored_fields)
        self.generated_key = self._find_generated_key()
        single = ((name,) for name, field in resource.stored_fields.items() if field.unique)
        self.unique_rules = tuple(
            rule for rule in dict.fromkeys((*single, *resource.unique)) if rule != resource.key
        )
        self._is_composite = len(resource.key) > 1
        self.reader = DocumentReader(resource, self.codecs)
        self.enforced: frozenset[str] = frozenset()
        self.has_text_index = False
        self._paths = {name: self._path(name) for name in self.names}
        for name, inside in resource.paths.items():
            self._paths[name] = ".".join((self._paths[inside.document], *inside.members))
        self.path_codecs: Mapping[str, Codec] = {
            name: make_codec(inside.field) for name, inside in resource.paths.items()
        }
        self._has_store_defaults = any(
            field.store_default or field.update_default for field in resource.stored_fields.values()
        )
        self._default_makers = {name: _default_maker(field) for name, field in resource.stored_fields.items()}
        self._required = tuple(name for name, field in resource.stored_fields.items() if _is_required(field))

    def path(self, name: str) -> str:
        """Return the path of the field *name*, or of the place *name* inside of one, in a document."""
        return self._paths[name]

    def document(self, values: Values) -> Document:
        """Encode *values* as a document, the key first.

        Raises:
            CallRejected: A value cannot be kept.
        """
        return self.build_document(self.encode(values))

    def build_document(self, kept: Values) -> Document:
        """Build the document of encoded values, *kept*, the key first."""
        names = self.resource.key
        rest = {name: value for name, value in kept.items() if name not in names}
        return {KEY: {name: kept[name] for name in names} if self._is_composite else kept[names[0]], **rest}

    def encode(self, values: Values) -> Values:
        """Encode each of *values*, by the name of its field.

        Raises:
            CallRejected: A value cannot be kept.
        """
        faults: list[Fault] = []
        kept: dict[str, object] = {}
        for name, value in values.items():
            if value is None:
                kept[name] = None
                continue
            try:
                kept[name] = self.codecs[name].encode(value)
            except Unstorable as unfit:
                faults.append(Fault(f"/{name}", str(unfit), unfit.code))
            except OverflowError:
                faults.append(Fault(f"/{name}", "Outside the range of the field", "out_of_range"))
        if faults:
            raise CallRejected(Invalid(tuple(faults)))
        return kept

    def row(self, document: Document, fields: Sequence[str] | None = None) -> Row:
        """Decode *fields* of *document*, or all."""
        return self.reader.row(document, self.names if fields is None else tuple(fields))

    def default(self, name: str) -> Any:
        """Return the BSON of what is shown of documents that lack the field *name*; `None` for null, or if none can."""
        return None if name in self.enforced else self.reader.defaults.get(name)

    def projection(self, names: Iterable[str]) -> Document:
        """Build the projection that fetches the fields *names*."""
        wanted: Document = {KEY: 0}
        for name in names:
            if name in self.resource.key:
                wanted[KEY] = 1
            else:
                wanted[name] = 1
        # A projection that only excludes the key would include everything else.
        return {KEY: 1} if wanted == {KEY: 0} else wanted

    def identity(self, key: Key) -> Any:
        """Encode *key* as the `_id` of its document; `None` when no value of the kind is such a key."""
        names = self.resource.key
        values = tuple(key) if self._is_composite else (key,)
        if len(values) != len(names):
            raise ValueError(f"the key of {self.resource.name} has {len(names)} values")
        try:
            kept = {name: self.codecs[name].encode(value) for name, value in zip(names, values, strict=True)}
        except (Unstorable, OverflowError):
            return None
        return kept if self._is_composite else kept[names[0]]

    def other_key_match(self, key: Key) -> Document | None:
        """Build the match for a document whose `_id`, of another kind or form, is shown as *key*; `None` for none."""
        names = self.resource.key
        if self._is_composite:
            # Other programs put the parts in another order, and more beside them.
            parts = zip(names, tuple(key), strict=True)
            return {self.path(name): {"$in": self._forms(name, part)} for name, part in parts}
        if names[0] in self.enforced:
            return None
        own = self.identity(key)
        others = [each for each in self._forms(names[0], key) if type(each) is not type(own) or each != own]
        return {KEY: {"$in": others}} if others else None

    def _forms(self, name: str, value: Any) -> list[Any]:
        """Return all that is shown as *value* in the field *name*."""
        forms = [each for each in candidates(format_text(value)) if may_be_key(each)]
        with contextlib.suppress(Unstorable, OverflowError):
            forms.append(self.codecs[name].encode(value))
        return forms

    def find_key(self, values: Values) -> Key | None:
        """Return the key in *values*; `None` when a part of it is not set."""
        names = self.resource.key
        if any(values.get(name) is None for name in names):
            return None
        return tuple(values[name] for name in names) if self._is_composite else values[names[0]]

    def fill_defaults(self, values: Values, *, is_stored: bool = False) -> Values:
        """Complete *values* with the defaults of the fields left out; what the store generates stays out.

        Args:
            values: The values of a new entity.

            is_stored: They are those of an entity that was stored before, which has a version.

        Raises:
            CallRejected: A field is null that must not be.
        """
        complete: dict[str, object] = {}
        for name, make_default in self._default_makers.items():
            if name in values and not (values[name] is None and make_default is None):
                complete[name] = values[name]
            elif make_default is not None:
                complete[name] = make_default()
        if self.resource.version is not None:
            complete[self.resource.version] = values.get(self.resource.version, 1) if is_stored else 1
        self.refuse_nulls(complete, whole=True)
        return complete

    def changes(self, values: Values) -> Values:
        """Return *values* without the version, which only the store sets.

        Raises:
            CallRejected: A field is null that must not be.
        """
        if self._has_store_defaults:
            values = resolve_store_defaults(self.resource.stored_fields, values)
        self.refuse_nulls(values, whole=False)
        return {name: value for name, value in values.items() if name != self.resource.version}

    def refuse_nulls(self, values: Values, *, whole: bool) -> None:
        """Reject *values* that are null and must not be; of a *whole* entity also those left out."""
        missing = [name for name in self._required if (whole or name in values) and values.get(name) is None]
        if missing:
            raise CallRejected(null_not_allowed(missing))

    def _path(self, name: str) -> str:
        if name not in self.resource.key:
            return name
        return f"{KEY}.{name}" if self._is_composite else KEY

    def _find_generated_key(self) -> str | None:
        """Return the key field that the store generates, if there is one."""
        name = self.resource.key[0]
        return name if len(self.resource.key) == 1 and self.resource.stored_fields[name].generated else None


def _checked_collection_name(resource: Resource[Any]) -> str:
    if not recognises(resource.stored):
        raise DeclarationError(
            [
                (
                    f"{resource.name}: {resource.stored.__name__} is an ORM class, but its database is MongoDB: "
                    "use a pydantic model or a dataclass, or name another database"
                )
            ]
        )
    name = collection_of(resource.stored)
    if not _COLLECTION.fullmatch(name) or name == SYSTEM_COLLECTION:
        raise DeclarationError(
            [f"{resource.name}: {name!r} cannot be the name of a collection: change __collection__"]
        )
    return name


def _default_maker(field: Field) -> Callable[[], object] | None:
    """Return what makes the default of *field*; `None` when the store fills it in."""
    if field.generated or field.store_default:
        return None
    if field.default_factory is not None:
        return field.default_factory
    default = None if field.default is UNSET else field.default
    return lambda: default


def _is_required(field: Field) -> bool:
    return not (field.nullable or field.generated or field.store_default)
