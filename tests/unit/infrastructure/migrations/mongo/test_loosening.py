"""Validators are loosened as far as a class needs it, and no further."""

from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.infrastructure.migrations.mongo.drafting.validators import loosen

TYPES = ("string", "int", "long", "double", "decimal", "bool", "null", "date", "objectId")
NAMES = ("a", "b", "c", "_id")
LABELS = ("x", "y", "z")

types = st.lists(st.sampled_from(TYPES), min_size=1, max_size=4, unique=True)
lengths = st.integers(1, 9)
choices = st.lists(st.sampled_from(LABELS), min_size=1, unique=True)


@st.composite
def stored_rules(draw):
    """A rule as anybody may have written it."""
    rule = {}
    if draw(st.booleans()):
        rule["bsonType"] = draw(st.sampled_from((*TYPES, "number")) | types)
    if draw(st.booleans()):
        rule["type"] = draw(st.sampled_from(("string", "number", "boolean", ["string", "null"])))
    if draw(st.booleans()):
        rule["maxLength"] = draw(lengths)
    if draw(st.booleans()):
        rule["enum"] = draw(choices)
    if draw(st.booleans()):
        rule["items"] = {"bsonType": draw(types)}
    if draw(st.booleans()):
        rule["description"] = "of others"
    return rule


@st.composite
def stored_validators(draw):
    """A validator as anybody may have written it."""
    schema = {}
    if draw(st.booleans()):
        schema["required"] = draw(st.lists(st.sampled_from((*NAMES, "other")), min_size=1, unique=True))
    if draw(st.booleans()):
        schema["properties"] = draw(st.dictionaries(st.sampled_from((*NAMES, "other")), stored_rules()))
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(st.booleans())
    rest = {"a": {"$exists": True}} if draw(st.booleans()) else {}
    return {"$jsonSchema": schema, **rest}


@st.composite
def declared_validators(draw):
    """A validator as a class makes it."""
    properties = {}
    for name in draw(st.lists(st.sampled_from(NAMES[:-1]), unique=True)):
        rule = {"bsonType": draw(types)} if draw(st.booleans()) else {}
        if rule and draw(st.booleans()):
            rule["maxLength"] = draw(lengths)
        if rule and draw(st.booleans()):
            rule["enum"] = draw(choices)
        if rule and draw(st.booleans()):
            rule["items"] = {"bsonType": draw(types)}
        properties[name] = rule
    properties["_id"] = {"bsonType": ["int", "long"]}
    return {
        "$jsonSchema": {"required": ["_id", *draw(st.just(list(properties)[:1]))], "properties": properties}
    }


def allowed_types(rule):
    """The types that *rule* lets through."""
    found = set(TYPES)
    for name in ("bsonType", "type"):
        if name in rule:
            listed = [rule[name]] if isinstance(rule[name], str) else rule[name]
            known = {"number": {"int", "long", "double", "decimal"}, "boolean": {"bool"}}
            found &= set().union(*(known.get(each, {each}) for each in listed))
    return found


def lets_through(rule, wanted):
    """Whether *rule* lets all through that *wanted* does."""
    needed = wanted.get("bsonType", TYPES)
    if not set(needed) <= allowed_types(rule):
        return False
    if "maxLength" in rule and wanted.get("maxLength", 99) > rule["maxLength"]:
        return False
    if "enum" in rule and not set(wanted.get("enum", ["anything"])) <= set(rule["enum"]):
        return False
    if "items" in rule and "items" in wanted:
        return lets_through(rule["items"], wanted["items"])
    return True


@given(stored_validators(), declared_validators())
def test_a_loosened_validator_lets_everything_through_that_the_class_gives(stored, declared):
    schema = loosen(stored, declared)["$jsonSchema"]

    fields = declared["$jsonSchema"]["properties"]
    known = schema.get("properties", {})
    assert set(schema.get("required", ())) <= set(fields)
    if schema.get("additionalProperties") is False:
        assert set(fields) <= set(known)
    assert [name for name in known if name in fields and not lets_through(known[name], fields[name])] == []


@given(stored_validators(), declared_validators())
def test_loosening_takes_nothing_away_that_was_let_through(stored, declared):
    before, after = stored["$jsonSchema"], loosen(stored, declared)["$jsonSchema"]

    assert set(after.get("required", ())) <= set(before.get("required", ()))
    assert after.get("additionalProperties") == before.get("additionalProperties")
    for name, rule in before.get("properties", {}).items():
        assert lets_through(after["properties"][name], {**rule, "bsonType": sorted(allowed_types(rule))})
    assert {**loosen(stored, declared), "$jsonSchema": None} == {**stored, "$jsonSchema": None}


@given(stored_validators(), declared_validators())
def test_what_was_loosened_once_stays_as_it_is(stored, declared):
    once = loosen(stored, declared)

    assert loosen(once, declared) == once


@given(declared_validators())
def test_the_validator_of_a_class_need_not_be_loosened_for_it(declared):
    assert loosen(declared, declared) == declared


def test_what_is_no_schema_is_left_alone():
    assert loosen({"a": {"$gt": 1}}, {"$jsonSchema": {"properties": {}}}) == {"a": {"$gt": 1}}
    assert loosen({}, {"$jsonSchema": {"properties": {}}}) == {}


def test_parts_of_a_key_are_loosened_inside_of_it():
    parts = {"hall": {"bsonType": ["string"]}, "number": {"bsonType": ["int", "long"]}}
    key = {"bsonType": ["object"], "required": ["hall", "number"], "properties": parts}
    stored = {
        "$jsonSchema": {
            "properties": {
                "_id": {
                    "bsonType": "object",
                    "required": ["hall", "row"],
                    "properties": {"hall": {"bsonType": "int"}, "row": {"bsonType": "int"}},
                    "additionalProperties": False,
                }
            }
        }
    }

    loosened = loosen(stored, {"$jsonSchema": {"required": ["_id"], "properties": {"_id": key}}})

    assert loosened["$jsonSchema"]["properties"]["_id"] == {
        "bsonType": "object",
        "required": ["hall"],
        "properties": {
            "hall": {"bsonType": ["int", "string"]},
            "row": {"bsonType": "int"},
            "number": {"bsonType": ["int", "long"]},
        },
        "additionalProperties": False,
    }
