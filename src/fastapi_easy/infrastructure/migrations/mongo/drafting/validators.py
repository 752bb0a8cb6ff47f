"""Validators that reject what a class allows, and how to loosen them.

A validator that allows more than the class is left alone, as is a collection without any: the program runs with them.
Whatever else a validator demands is its maker's business.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document

_SCHEMA: Final = "$jsonSchema"
_NUMBERS: Final = ("int", "long", "double", "decimal")
_JSON_TYPES: Final = {
    "string": ("string",),
    "object": ("object",),
    "array": ("array",),
    "boolean": ("bool",),
    "null": ("null",),
    "number": _NUMBERS,
}


def loosen(validator: Mapping[str, Any], wanted: Mapping[str, Any]) -> Document:
    """Return *validator* with what keeps documents out of it that *wanted* allows taken away, and nothing else."""
    schema = validator.get(_SCHEMA)
    if not isinstance(schema, Mapping):
        return dict(validator)
    return {**validator, _SCHEMA: _loosen_schema(schema, wanted[_SCHEMA])}


def _loosen_schema(schema: Mapping[str, Any], wanted: Mapping[str, Any]) -> Document:
    fields: Mapping[str, Any] = wanted["properties"]
    known: Mapping[str, Any] = schema.get("properties") or {}
    loosened = dict(schema)
    properties = {
        name: _loosen_property(rule, fields[name]) if name in fields else rule for name, rule in known.items()
    }
    if schema.get("additionalProperties") is False:
        properties |= {name: dict(rule) for name, rule in fields.items() if name not in known}
    if properties:
        loosened["properties"] = properties
    if "required" in schema:
        kept = [name for name in schema["required"] if name in fields or name == KEY]
        loosened["required"] = kept
        if not kept:
            # The server takes no empty list.
            del loosened["required"]
    return loosened


def _loosen_property(rule: Any, wanted: Mapping[str, Any]) -> Any:
    if not isinstance(rule, Mapping):
        return rule
    loosened = dict(rule)
    _loosen_types(loosened, wanted)
    _loosen_choices(loosened, wanted)
    _loosen_length(loosened, wanted)
    items, wanted_items = rule.get("items"), wanted.get("items")
    if isinstance(items, Mapping) and wanted_items is not None:
        loosened["items"] = _loosen_property(items, wanted_items)
    if "properties" in wanted:
        # The parts of a key.
        loosened = _loosen_schema(loosened, wanted)
    return loosened


def _loosen_types(rule: Document, wanted: Mapping[str, Any]) -> None:
    needed = wanted.get("bsonType")
    if needed is None:
        # The class takes anything.
        for name in ("bsonType", "type"):
            _ = rule.pop(name, None)
        return
    if "type" in rule:
        allowed = [each for name in _listed(rule["type"]) for each in _JSON_TYPES.get(name, ())]
        if not set(needed) <= set(allowed):
            del rule["type"]
            if "bsonType" not in rule:
                rule["bsonType"] = _union(allowed, needed)
    if "bsonType" in rule:
        listed = _listed(rule["bsonType"])
        allowed = [*listed, *(_NUMBERS if "number" in listed else ())]
        if not set(needed) <= set(allowed):
            rule["bsonType"] = _union(listed, needed)


def _loosen_choices(rule: Document, wanted: Mapping[str, Any]) -> None:
    choices = rule.get("enum")
    if choices is None:
        return
    if wanted.get("enum") is None:
        del rule["enum"]
        return
    missing = [each for each in wanted["enum"] if each not in choices]
    if missing:
        rule["enum"] = [*choices, *missing]


def _loosen_length(rule: Document, wanted: Mapping[str, Any]) -> None:
    longest, needed = rule.get("maxLength"), wanted.get("maxLength")
    if longest is None or (needed is not None and needed <= longest):
        return
    if needed is None:
        del rule["maxLength"]
    else:
        rule["maxLength"] = needed


def _listed(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else list(types or ())


def _union(listed: list[str], needed: Any) -> list[str]:
    return [*listed, *(each for each in needed if each not in listed)]
