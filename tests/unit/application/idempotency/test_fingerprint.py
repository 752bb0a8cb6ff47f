"""Two calls with one key are the same call when they ask for the same, however it is spelt."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from fastapi_easy.application import ApplyBulk, Create, CreateEntity, Delete, UpdateEntity
from fastapi_easy.application.context import Context
from fastapi_easy.application.idempotency.fingerprint import call_id, check_idempotency_key, fingerprint
from fastapi_easy.domain import Json, JsonMergePatch, Patch, Principal


class Colour(enum.StrEnum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Paint:
    colour: str
    layers: int = 1


UTC = datetime.UTC
NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=UTC)
IN_PARIS = NOON.astimezone(datetime.timezone(datetime.timedelta(hours=1)))

EQUAL: Mapping[str, tuple[Any, Any]] = {
    "the order of members": (CreateEntity(Json({"a": 1, "b": 2})), CreateEntity(Json({"b": 2, "a": 1}))),
    "a document and the same values": (CreateEntity(Json({"a": 1})), CreateEntity({"a": 1})),
    "trailing zeros": (CreateEntity({"a": Decimal("9.50")}), CreateEntity({"a": Decimal("9.5")})),
    "numbers of different types": (CreateEntity({"a": 100}), CreateEntity({"a": Decimal("1E2")})),
    "zeros": (CreateEntity({"a": Decimal("-0.00")}), CreateEntity({"a": 0.0})),
    "one moment in two zones": (CreateEntity({"a": NOON}), CreateEntity({"a": IN_PARIS})),
    "sets": (CreateEntity({"a": {"x", "y", "z"}}), CreateEntity({"a": {"z", "y", "x"}})),
    "bulks": (
        ApplyBulk([Create(Json({"a": 1, "b": 2})), Delete(1)]),
        ApplyBulk((Create({"b": 2, "a": 1}), Delete(1))),
    ),
}

DIFFERENT: Mapping[str, tuple[Any, Any]] = {
    "another value": (CreateEntity({"a": 1}), CreateEntity({"a": 2})),
    "a number and its text": (CreateEntity({"a": 1}), CreateEntity({"a": "1"})),
    "a number and a truth": (CreateEntity({"a": 1}), CreateEntity({"a": True})),
    "null and nothing": (CreateEntity({"a": None}), CreateEntity({})),
    "the order of a list": (CreateEntity({"a": [1, 2]}), CreateEntity({"a": [2, 1]})),
    "a hundred digits": (
        CreateEntity({"a": Decimal("1" * 100 + "1")}),
        CreateEntity({"a": Decimal("1" * 100 + "2")}),
    ),
    "infinities": (CreateEntity({"a": float("inf")}), CreateEntity({"a": float("-inf")})),
    "another entity": (UpdateEntity(1, Patch({"a": 1})), UpdateEntity(2, Patch({"a": 1}))),
    "another version": (UpdateEntity(1, Patch({"a": 1}), "1"), UpdateEntity(1, Patch({"a": 1}), "2")),
    "a merge and a replacement": (
        UpdateEntity(1, JsonMergePatch({"a": {}})),
        UpdateEntity(1, Json({"a": {}})),
    ),
    "a member and its value": (CreateEntity({"a": Colour.RED}), CreateEntity({"a": "red"})),
    "bytes and text": (CreateEntity({"a": b"red"}), CreateEntity({"a": "red"})),
    "fields of an action": (Paint("red"), Paint("red", 2)),
    "another command": (CreateEntity({"a": 1}), Create({"a": 1})),
    "an atomic bulk and another": (ApplyBulk([Delete(1)]), ApplyBulk([Delete(1)], atomic=False)),
}


@pytest.mark.parametrize("case", EQUAL)
def test_the_same_call_has_the_same_fingerprint(case: str) -> None:
    one, other = EQUAL[case]

    assert fingerprint("k", "books", "create", one) == fingerprint("k", "books", "create", other)


@pytest.mark.parametrize("case", DIFFERENT)
def test_another_call_has_another_fingerprint(case: str) -> None:
    one, other = DIFFERENT[case]

    assert fingerprint("k", "books", "create", one) != fingerprint("k", "books", "create", other)


def test_key_resource_and_action_are_part_of_the_call() -> None:
    command = CreateEntity({"a": 1})
    others = [("k", "a", "create"), ("k", "a", "upsert"), ("k", "b", "create"), ("l", "a", "create")]

    found = {fingerprint(*each, command) for each in others}

    assert len(found) == 4


def test_a_key_belongs_to_its_caller_and_tenant() -> None:
    contexts = [
        Context(principal=Principal(id=who), tenant=tenant, idempotency_key=key)
        for who, tenant, key in [
            ("ada", None, "k"),
            ("ada", "", "k"),
            ("ada", "acme", "k"),
            ("bob", None, "k"),
            ("ada", None, "k2"),
            ("", "ada", "k"),
        ]
    ]

    assert len({call_id(each) for each in contexts}) == len(contexts)
    assert call_id(contexts[0]) == call_id(dataclasses.replace(contexts[0], correlation_id="another"))


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        ("k", True),
        ("!~" * 127, True),
        ("", False),
        ("x" * 256, False),
        ("a b", False),
        ("é", False),
        ("a\n", False),
    ],
)
def test_a_key_is_visible_ascii(key: str, taken: bool) -> None:
    assert (check_idempotency_key(key) is None) is taken
