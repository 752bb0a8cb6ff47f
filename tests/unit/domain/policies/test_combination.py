"""Several rules and policies together never allow what none of them allows, whoever asks and whatever is stored."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.policies.combination import join, meet
from fastapi_easy.domain.policies.composed_policy import all_of, any_of
from fastapi_easy.domain.policies.placeholders import Placeholder, principal
from fastapi_easy.domain.policies.rule import ANYONE, AUTHENTICATED, Rule, allow
from fastapi_easy.domain.policies.rule_policy import RolePolicy, RulePolicy
from fastapi_easy.domain.principal import Principal
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Specification,
    Where,
    is_satisfied_by,
)
from tests.unit.domain.policies.books import books

NAMES = ("title", "owner_id", "department")
BOOKS = books()

numbers = st.sampled_from([1, 2])
departments = st.sampled_from(["arts", "maths"])
leaf_conditions: st.SearchStrategy[Specification] = st.one_of(
    st.just(Everything()),
    st.builds(lambda value: Where("owner_id") == value, st.one_of(numbers, st.just(principal.id))),
    st.builds(lambda value: Where("owner_id") != value, st.one_of(numbers, st.just(principal.id))),
    st.builds(
        lambda value: Where("department") == value, st.one_of(departments, st.just(principal.claims["in"]))
    ),
    st.just(Where("department").in_(principal.roles)),
)
conditions = st.recursive(
    leaf_conditions,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda *parts: AllOf(parts), inner, inner),
        st.builds(lambda *parts: AnyOf(parts), inner, inner),
    ),
    max_leaves=3,
)
some_names = st.one_of(st.none(), st.sets(st.sampled_from(NAMES)).map(sorted))
rules = st.builds(
    lambda actions, to, rows, fields, write: allow(*actions, to=to, rows=rows, fields=fields, write=write),
    st.sampled_from([("read",), ("get",), ("update",), ("*",), ("get", "update")]),
    st.sampled_from([ANYONE, AUTHENTICATED, "arts", "editor"]),
    conditions,
    some_names,
    some_names,
)
callers = st.builds(
    lambda id_, roles, claims: Principal(id=id_, roles=frozenset(roles), claims=claims),
    st.sampled_from(["", "1", "2", "ada"]),
    st.sets(st.sampled_from(["arts", "editor"])),
    st.sampled_from([{}, {"in": "arts"}, {"in": None}, {"in": ["arts"]}]),
)
rows = st.fixed_dictionaries(
    {
        "id": st.just(1),
        "title": st.just("Emma"),
        "owner_id": st.one_of(st.none(), numbers),
        "department": st.one_of(st.none(), departments),
    }
)


def holds(condition: Specification, caller: Principal, row: dict[str, Any]) -> bool | None:
    """Whether *condition* holds of *row*, read naively; `None` where the caller has not what it is compared with."""
    match condition:
        case Everything():
            return True
        case Not(inner):
            inside = holds(inner, caller, row)
            return None if inside is None else not inside
        case AllOf(parts) | AnyOf(parts):
            each = [holds(part, caller, row) for part in parts]
            return None if None in each else (all if isinstance(condition, AllOf) else any)(each)
        case Where(name, operator, Placeholder(path)):
            known = {"id": caller.id, "roles": tuple(sorted(caller.roles)), "claims": caller.claims.get("in")}
            value = known[path[0]]
            if name == "owner_id":
                value = int(value) if value in {"1", "2"} else None
            if value is None or isinstance(value, list):
                return None
            return is_satisfied_by(Where(name, operator, value), row)
        case _:
            return is_satisfied_by(condition, row)


def applying(several: Sequence[Rule], action: str, caller: Principal, row: dict[str, Any]) -> list[Rule]:
    """The rules that allow *action* on *row*, each alone."""
    groups = {ANYONE, *caller.roles, *([AUTHENTICATED] if caller.id else [])}
    names = {"*", action, *(["read"] if action == "get" else [])}
    return [
        each
        for each in several
        if names & set(each.actions) and groups & set(each.to) and holds(each.rows, caller, row)  # type: ignore[arg-type]
    ]


async def granted(policy: Any, caller: Principal, action: str) -> Grant | None:
    return (await policy.permissions(caller, None)).grant(BOOKS, action)


@given(st.lists(rules, max_size=4), callers, rows)
async def test_an_entity_is_there_exactly_if_one_rule_alone_shows_it(
    several: list[Rule], caller: Principal, row: dict[str, Any]
) -> None:
    for action in ("get", "update"):
        grant = await granted(RulePolicy({"books": several}), caller, action)

        is_there = grant is not None and is_satisfied_by(grant.rows, row)
        assert is_there == bool(applying(several, action, caller, row))


@given(st.lists(rules, max_size=4), callers, rows)
async def test_no_field_is_shown_or_taken_that_no_rule_about_the_entity_allows(
    several: list[Rule], caller: Principal, row: dict[str, Any]
) -> None:
    policy = RulePolicy({"books": several})
    read, update = [await granted(policy, caller, action) for action in ("get", "update")]

    if read is not None and is_satisfied_by(read.rows, row):
        about = applying(several, "get", caller, row)
        shown = set(NAMES if read.readable is None else read.readable)
        assert any(each.fields is None or shown <= set(each.fields) for each in about)
    if update is not None and is_satisfied_by(update.rows, row):
        about = applying(several, "update", caller, row)
        taken = set(NAMES if update.writable is None else update.writable)
        assert any(each.write is None or taken <= set(each.write) for each in about)


@given(st.lists(rules, max_size=3), st.lists(rules, max_size=3), callers, rows)
async def test_all_of_two_policies_allow_what_both_do_and_any_of_them_what_one_does(
    one: list[Rule], other: list[Rule], caller: Principal, row: dict[str, Any]
) -> None:
    first, second = RulePolicy({"books": one}), RulePolicy({"books": other})

    both, either = (
        await granted(all_of(first, second), caller, "get"),
        await granted(any_of(first, second), caller, "get"),
    )

    alone = [bool(applying(each, "get", caller, row)) for each in (one, other)]
    assert (both is not None and is_satisfied_by(both.rows, row)) == all(alone)
    assert (either is not None and is_satisfied_by(either.rows, row)) == any(alone)


async def test_a_rule_that_another_one_includes_takes_nothing_away() -> None:
    several = [
        allow("read", to=ANYONE, fields=["id", "title"]),
        allow("read", to="editor", rows=Where("owner_id") == principal.id, fields=["title"]),
        allow("read", to="admin"),
    ]
    caller = Principal(id="1", roles=frozenset({"editor", "admin"}))

    assert await granted(RulePolicy({"books": several}), caller, "get") == Grant()


def test_a_change_shows_what_the_caller_may_read_and_nothing_to_those_who_may_read_nothing() -> None:
    own = allow("update", to=ANYONE)
    readers = RulePolicy({"books": [own, allow("read", to="reader", fields=["title"])]})._bind(BOOKS)

    assert [each.grant_for("update", frozenset({"title"})).readable for each in readers] == [
        frozenset({"title"}),
        frozenset({"title"}),
    ]


async def test_who_may_update_and_not_read_is_shown_the_key_alone() -> None:
    policy = RolePolicy({"blind": ["books:update"], "seeing": ["books:update", "books:read"]})

    blind, seeing = [
        await granted(policy, Principal(id="1", roles=frozenset({role})), "update")
        for role in ("blind", "seeing")
    ]

    assert blind == Grant(readable=frozenset())
    assert seeing == Grant()


@pytest.mark.parametrize(
    ("grants", "together"),
    [
        pytest.param([], None, id="none"),
        pytest.param([None, Grant(stamps={"owner_id": 1})], Grant(stamps={"owner_id": 1}), id="one"),
        pytest.param(
            [Grant(stamps={"owner_id": 1}), Grant(stamps={"owner_id": 2})],
            Grant(stamps={"owner_id": 1}),
            id="the first of two stamps",
        ),
        pytest.param(
            [
                Grant(rows=Where("id") == 1, stamps={"owner_id": 1}),
                Grant(rows=Where("id") == 2, stamps={"department": "arts"}),
            ],
            Grant(
                rows=AnyOf((Where("id") == 1, Where("id") == 2)), stamps={"owner_id": 1, "department": "arts"}
            ),
            id="different stamps",
        ),
    ],
)
def test_what_any_of_several_grants_allows(grants: list[Grant | None], together: Grant | None) -> None:
    assert join(grants) == together


@pytest.mark.parametrize(
    ("grants", "together"),
    [
        pytest.param([Grant(), None], None, id="one that is missing"),
        pytest.param(
            [Grant(stamps={"owner_id": 1}), Grant(stamps={"owner_id": 2})], None, id="contradiction"
        ),
        pytest.param(
            [
                Grant(rows=Where("id") == 1, readable=frozenset({"id", "title"})),
                Grant(readable=frozenset({"title"})),
            ],
            Grant(rows=Where("id") == 1, readable=frozenset({"title"})),
            id="the fields of both",
        ),
    ],
)
def test_what_all_of_several_grants_allow(grants: list[Grant | None], together: Grant | None) -> None:
    assert meet(grants) == together
