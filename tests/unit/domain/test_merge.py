"""What a merge patch makes of a document: the table of RFC 7396, and a second reading of its section 2."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain import Failure, Invalid, Merge, Success
from fastapi_easy.domain.changes.merge import merge_patch

APPENDIX_A: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def merged_as_the_rfc_words_it(target: Any, patch: Any) -> Any:
    if isinstance(patch, dict):
        if not isinstance(target, dict):
            target = {}
        for name, value in patch.items():
            if value is None:
                if name in target:
                    del target[name]
            else:
                target[name] = merged_as_the_rfc_words_it(target.get(name), value)
        return target
    return patch


@pytest.mark.parametrize(("target", "patch", "result"), APPENDIX_A)
def test_the_cases_of_appendix_a(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


@given(json_values, json_values)
def test_any_two_documents_merge_as_the_rfc_words_it_and_stay_as_they_were(target: Any, patch: Any) -> None:
    before = copy.deepcopy((target, patch))

    merged = merge_patch(target, patch)

    assert (target, patch) == before
    assert merged == merged_as_the_rfc_words_it(copy.deepcopy(target), copy.deepcopy(patch))


def test_a_merge_is_checked_by_whoever_made_it() -> None:
    refused = Failure(Invalid(()))

    assert Merge({"b": 1}).into({"a": 1}) == Success({"a": 1, "b": 1})
    assert Merge({"b": 1}, lambda _: refused).into({"a": 1}) is refused
    assert "secret" not in repr(Merge({"secret": 1}))
