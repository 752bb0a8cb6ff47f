"""The indexes of a collection, and the validator that keeps other tools from storing what the class cannot hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan

_KINDS_WITH_LENGTH: Final = frozenset({Kind.TEXT})


@dataclass(frozen=True, slots=True)
class Index:
    """An index of one collection.

    Attributes:
        paths: The paths it is on, in its order.

        unique: Whether no two documents have the same values there.

        partial_filter: Selects the documents in it; empty for all. Leaves out nulls, which may be equal.

        is_text: Whether it is the one of the collection for words.
    """

    paths: tuple[str, ...]
    unique: bool
    partial_filter: Document
    is_text: bool = False

    @property
    def name(self) -> str:
        """The name that the server would give it."""
        return "_".join(f"{path}_{kind}" for path, kind in self.keys)

    @property
    def keys(self) -> tuple[tuple[str, int | str], ...]:
        """The paths it is on, each with its direction or kind."""
        return tuple((path, "text" if self.is_text else 1) for path in self.paths)

    def is_on(self, keys: Document, weights: Document) -> bool:
        """Return whether an index that the server describes with *keys* and *weights* is on the same paths."""
        if self.is_text:
            return keys == {"_fts": "text", "_ftsx": 1} and dict.fromkeys(self.paths, 1) == dict(weights)
        return dict(keys) == dict.fromkeys(self.paths, 1)

    @property
    def options(self) -> Document:
        """The options to create it with."""
        options: Document = {"name": self.name}
        if self.unique:
            options["unique"] = True
        if self.is_text:
            # Words as they are written: no stems, and none left out.
            options["default_language"], options["language_override"] = "none", "__fe_language"
        if self.partial_filter:
            options["partialFilterExpression"] = dict(self.partial_filter)
        return options


def needed_indexes(plan: Plan) -> Iterator[Index]:
    """Yield the indexes that *plan* needs.

    One for each unique rule, one to walk along a composite key, and those for places inside of JSON fields.
    """
    fields, deleted_at = plan.resource.stored_fields, plan.resource.soft_delete
    for rule in plan.unique_rules:
        # A condition that every value but null fulfils. The server uses a partial index only for queries that imply its
        # condition, as every comparison with a value of these types does.
        partial_filter: Document = {
            plan.path(name): {"$gte": plan.codecs[name].lower_bound} for name in rule if fields[name].nullable
        }
        if deleted_at is not None:
            # A deleted entity gives its values free.
            partial_filter[plan.path(deleted_at)] = {"$eq": None}
        yield Index(tuple(plan.path(name) for name in rule), unique=True, partial_filter=partial_filter)
    if len(plan.resource.key) > 1:
        yield Index(tuple(plan.path(name) for name in plan.resource.key), unique=False, partial_filter={})
    if (declared := plan.resource.query.full_text) is not None:
        paths = tuple(plan.path(name) for name in declared.fields)
        yield Index(paths, unique=False, partial_filter={}, is_text=True)
    for name, path in plan.resource.paths.items():
        if path.is_indexed:
            yield Index((plan.path(name),), unique=False, partial_filter={})


def build_validator(plan: Plan) -> Document:
    """Build the `$jsonSchema` validator that every document has to fulfil."""
    fields = plan.resource.stored_fields
    key = plan.resource.key
    properties = {name: _build_property(plan, name) for name in fields if name not in key}
    required = [name for name in properties if not fields[name].nullable]
    if len(key) == 1:
        properties[KEY] = _build_property(plan, key[0])
    else:
        parts = {name: _build_property(plan, name) for name in key}
        properties[KEY] = {"bsonType": ["object"], "required": list(key), "properties": parts}
    return {"$jsonSchema": {"required": [KEY, *required], "properties": properties}}


def find_enforced_fields(plan: Plan, options: Document) -> frozenset[str]:
    """Return the fields of *plan* that a collection with *options* lets nobody leave out or fill with other types.

    Queries about them need not reckon with what other programs write.
    """
    schema: Document = (options.get("validator") or {}).get("$jsonSchema") or {}
    is_strict = options.get("validationLevel", "strict") == "strict"
    if not is_strict or options.get("validationAction", "error") != "error":
        return frozenset()
    wanted = build_validator(plan)["$jsonSchema"]["properties"]
    stored = schema.get("properties") or {}
    required = {KEY, *(schema.get("required") or ())}
    return frozenset(
        name
        for name in plan.names
        for path in [plan.path(name)]
        if path in required and "bsonType" in wanted[path] and stored.get(path) == wanted[path]
    )


def _build_property(plan: Plan, name: str) -> Document:
    field, codec = plan.resource.stored_fields[name], plan.codecs[name]
    if not codec.types:
        return {}
    found: Document = {"bsonType": [*codec.types, *(["null"] if field.nullable else [])]}
    if field.kind in _KINDS_WITH_LENGTH and field.max_length is not None and codec.types == ("string",):
        found["maxLength"] = field.max_length
    if field.kind is Kind.ENUM and field.enumeration is not None:
        found["enum"] = [
            *(codec.encode(each) for each in field.enumeration),
            *([None] if field.nullable else []),
        ]
    if codec.item is not None:
        found["items"] = {"bsonType": list(codec.item.types)}
    return found
