"""What MongoDB is told is never taken for an operator."""

import uuid

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import Invalid, NotFound
from fastapi_easy.domain.queries.specification import (
    Everything,
    Operator,
    Where,
    operators_of,
)
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.strategies import ANY_CASE
from tests.conformance.mongo_documents import LISTED, TEXT_ONLY, Thing, value_of_all

OPERATORS = [
    pytest.param({"$gt": ""}, id="gt"),
    pytest.param({"$ne": None}, id="ne"),
    pytest.param({"$where": "sleep(1000)"}, id="where"),
    pytest.param({"$exists": True}, id="exists"),
    pytest.param([{"$gt": ""}], id="in a list"),
]


@pytest.mark.parametrize("hostile", OPERATORS)
async def test_an_operator_in_place_of_a_value_is_not_executed(documents, hostile):
    fields = documents.resources["things"].fields
    await value_of_all(documents["things"], [{"name": "a", "token": uuid.uuid4(), "count": 1}])

    for name, field in fields.items():
        for operator in operators_of(field.kind, nullable=False):
            if operator in ANY_CASE or operator in TEXT_ONLY:
                continue
            value = (hostile, hostile) if operator in LISTED else hostile
            found = await documents["things"].count(Where(name, operator, value))
            expected = 1 if operator in {Operator.NOT_EQUALS, Operator.NOT_IN} else 0
            assert found == Success(expected), (name, operator)
    assert await documents["things"].read(hostile) == Failure(NotFound("things", hostile))
    assert await documents["things"].remove(hostile) == Failure(NotFound("things", hostile))


@pytest.mark.parametrize("hostile", OPERATORS)
@pytest.mark.parametrize("field", [name for name in Thing.model_fields if name not in {"id", "extra"}])
async def test_an_operator_in_place_of_a_value_is_not_stored(documents, field, hostile):
    added = value_of(await documents["things"].add({"name": "a"}))

    refused = await documents["things"].add({field: hostile})
    changed = await documents["things"].update(added.id, Patch({field: hostile}))

    for outcome in (refused, changed):
        assert type(outcome.failure()) is Invalid
        assert [fault.pointer for fault in outcome.failure().faults] == [f"/{field}"]
    assert await documents["things"].count(Everything()) == Success(1)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"$set": {"name": "b"}}, id="an operator"),
        pytest.param({"a": {"$inc": 1}}, id="an operator inside"),
        pytest.param({"a": [{"$where": "1"}]}, id="an operator in a list"),
        pytest.param({"a.b": 1}, id="a path"),
        pytest.param({"a": {".": 1}}, id="a point"),
        pytest.param({"a\x00b": 1}, id="NUL in a name"),
        pytest.param({"a": "\x00"}, id="NUL in a text"),
        pytest.param({"a": "\ud800"}, id="a lone surrogate"),
        pytest.param({"a": 2**63}, id="a number beyond 64 bits"),
        pytest.param({"a": object()}, id="no JSON"),
        pytest.param({1: "a"}, id="a name that is no text"),
    ],
)
async def test_json_that_the_server_could_interpret_is_rejected(documents, extra):
    added = value_of(await documents["things"].add({"name": "a"}))

    outcomes = [
        await documents["things"].add({"extra": extra}),
        await documents["things"].update(added.id, Patch({"extra": extra})),
        await documents["things"].update_where(Everything(), Patch({"extra": extra}), max_affected=9),
    ]

    for outcome in outcomes:
        assert [fault.pointer for fault in outcome.failure().faults] == ["/extra"]
    assert value_of(await documents["things"].read(added.id)) == added


async def test_json_nested_too_deeply_is_rejected_and_less_deep_json_round_trips(documents):
    def nested(levels):
        value = 1
        for _ in range(levels):
            value = {"a": value}
        return value

    added = value_of(await documents["things"].add({"extra": nested(85)}))
    refused = await documents["things"].add({"extra": nested(500)})

    assert added.extra == value_of(await documents["things"].read(added.id)).extra == nested(85)
    assert type(refused.failure()) is Invalid


async def test_texts_that_look_like_expressions_are_texts(documents):
    for text in ("$name", "$$ROOT", "{$gt: 1}", ".*", "\\Q.*\\E", "^a", "a$"):
        added = value_of(await documents["things"].add({"name": text, "extra": {"a": text}}))
        version = documents.resources["things"].version_of(added)
        changed = value_of(
            await documents["things"].update(added.id, Patch({"name": text + "!"}), expected_version=version)
        )

        assert (changed.name, changed.extra) == (text + "!", {"a": text})
        assert await documents["things"].count(Where("name", Operator.CONTAINS, text)) == Success(1)
        value_of(await documents["things"].remove(added.id))
