"""What stands in a rule, what it becomes for a caller, and what is said when it is wrong."""

from typing import Any
from uuid import UUID

import pytest

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.policies.caller_values import CallerValue
from fastapi_easy.domain.policies.permissions import are_covered
from fastapi_easy.domain.policies.placeholders import Placeholder, principal, read_placeholder
from fastapi_easy.domain.policies.rule import ANYONE, AUTHENTICATED, Rule, allow
from fastapi_easy.domain.policies.rule_policy import RolePolicy, RulePolicy, find_mistakes_in_rules
from fastapi_easy.domain.policies.scoped_permissions import ScopedPermissions
from fastapi_easy.domain.policies.wording import describe_rows
from fastapi_easy.domain.principal import ANONYMOUS, Principal
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Not, Operator, Specification, Where
from tests.unit.domain.policies.books import books

BOOKS = books()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param(lambda: Where("a") == 1, Where("a", Operator.EQUALS, 1), id="equals"),
        pytest.param(lambda: Where("a") != 1, Where("a", Operator.NOT_EQUALS, 1), id="differs"),
        pytest.param(lambda: Where("a") < 1, Where("a", Operator.LESS, 1), id="less"),
        pytest.param(lambda: Where("a") <= 1, Where("a", Operator.LESS_OR_EQUAL, 1), id="less or equal"),
        pytest.param(lambda: Where("a") > 1, Where("a", Operator.GREATER, 1), id="greater"),
        pytest.param(
            lambda: Where("a") >= 1, Where("a", Operator.GREATER_OR_EQUAL, 1), id="greater or equal"
        ),
        pytest.param(lambda: Where("a").in_([1, 2]), Where("a", Operator.IN, (1, 2)), id="in"),
        pytest.param(lambda: Where("a").not_in([1]), Where("a", Operator.NOT_IN, (1,)), id="not in"),
        pytest.param(lambda: Where("a") == None, Where("a", Operator.IS_NULL, True), id="null"),  # noqa: E711
        pytest.param(lambda: Where("a") != None, Where("a", Operator.IS_NULL, False), id="not null"),  # noqa: E711
    ],
)
def test_a_field_is_compared_as_python_compares(written: Any, meant: Where) -> None:
    assert isinstance(written(), Where)
    assert (written() == meant) is True
    assert hash(written()) == hash(meant)


def test_a_condition_is_compared_with_others_and_with_no_value() -> None:
    condition = Where("a") == 1

    assert (condition != (Where("a") == 2)) is True
    assert (condition == 1) is False
    with pytest.raises(TypeError, match="is a condition already"):
        _ = condition < 2


ADA = Principal(
    id="7",
    roles=frozenset({"b", "a"}),
    claims={"department": "arts", "nothing": None, "address": {"country": "FR"}, "number": 7, "truth": True},
)


async def rows_of(condition: Any, caller: Principal = ADA, tenant: str | None = None) -> Specification | None:
    """What *condition* becomes for *caller*; `None` where the rule grants nothing."""
    policy = RulePolicy({"books": [allow("get", to=ANYONE, rows=condition)]})
    grant = (await policy.permissions(caller, tenant)).grant(BOOKS, "get")
    return None if grant is None else grant.rows


@pytest.mark.parametrize(
    ("condition", "becomes"),
    [
        pytest.param(
            Where("owner_id") == principal.id, Where("owner_id") == 7, id="a number spelt in a token"
        ),
        pytest.param(Where("title") == principal.id, Where("title") == "7", id="the same as text"),
        pytest.param(Where("title").in_(principal.roles), Where("title").in_(["a", "b"]), id="roles"),
        pytest.param(
            Where("title") == principal.claims["address"]["country"], Where("title") == "FR", id="inner claim"
        ),
        pytest.param(
            Where("tags", Operator.HAS, principal.claims["department"]),
            Where("tags", Operator.HAS, "arts"),
            id="an item",
        ),
        pytest.param({"owner_id": "$principal.id"}, Where("owner_id") == 7, id="written in a file"),
        pytest.param(
            {"or": [{"title__startswith": "A"}, {"not": {"owner_id__in": [1, 2]}}]},
            AnyOf((Where("title", Operator.STARTS_WITH, "A"), Not(Where("owner_id").in_([1, 2])))),
            id="a tree",
        ),
    ],
)
async def test_placeholders_become_values_of_their_field(condition: Any, becomes: Specification) -> None:
    assert await rows_of(condition) == becomes


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(Where("title") != principal.claims["salary"], id="no claim"),
        pytest.param(Where("title") != principal.claims["nothing"], id="a claim that is null"),
        pytest.param(Where("title") != principal.claims["department"]["name"], id="no member of a claim"),
        pytest.param(Where("title") != principal.claims["address"], id="an object"),
        pytest.param(Where("owner_id") != principal.claims["department"], id="no number"),
        pytest.param(Where("owner_id") != principal.claims["truth"], id="true, which is no number"),
        pytest.param(Where("title") != principal.claims["number"], id="a number, which is no text"),
        pytest.param(Where("title") != principal.tenant, id="no tenant"),
        pytest.param(Not(Where("title").in_(principal.claims["salary"])), id="no list"),
    ],
)
async def test_what_a_caller_has_not_grants_nothing_whatever_the_comparison(condition: Specification) -> None:
    assert await rows_of(condition) is None


async def test_nobody_owns_what_belongs_to_an_empty_id() -> None:
    assert await rows_of(Where("title") == principal.id, ANONYMOUS) is None
    assert await rows_of(Where("title") != principal.id, ANONYMOUS) is None


@pytest.mark.parametrize("spelt", ["07", "7.0", " 7", "+7", "\u0667"])
async def test_two_callers_are_never_the_same_number(spelt: str) -> None:
    assert await rows_of(Where("owner_id") == principal.id, Principal(id=spelt)) is None


@pytest.mark.parametrize(("spelt", "value"), [("aé9", "aé9"), ("four", UNSET), ("", "")])
def test_a_text_that_is_too_long_for_its_field_is_no_value_of_it(spelt: str, value: object) -> None:
    field = Field(name="owner", kind=Kind.TEXT, max_length=3)
    owner = CallerValue(principal.claims["sub"], "books", "owner", False, field)

    assert owner.resolve(Principal(id="7", claims={"sub": spelt}), None) == value


def test_a_uuid_may_be_spelt_in_capitals() -> None:
    value = CallerValue(principal.id, "books", "key", False, Field(name="key", kind=Kind.UUID))
    spelt = "0D6F5A1C-0C35-4B61-9F2B-0C5C76B6C9C1"

    assert value.resolve(Principal(id=spelt), None) == UUID(spelt)


async def test_the_tenant_of_the_call_counts() -> None:
    assert await rows_of(Where("title") == principal.tenant, ADA, "acme") == (Where("title") == "acme")


async def test_stamps_are_for_what_creates() -> None:
    policy = RulePolicy({"books": [allow("*", to=AUTHENTICATED, stamps={"owner_id": principal.id})]})
    permissions = await policy.permissions(ADA, None)

    assert permissions.grant(BOOKS, "create") == Grant(stamps={"owner_id": 7})
    assert permissions.grant(BOOKS, "update") == Grant()
    assert (await policy.permissions(ANONYMOUS, None)).grant(BOOKS, "create") is None


@pytest.mark.parametrize(
    ("permissions", "covers"),
    [
        pytest.param({"*"}, {"get", "update", "give"}, id="everything"),
        pytest.param({"books:*"}, {"get", "update", "give"}, id="everything of one"),
        pytest.param({"books:read"}, {"get"}, id="reading"),
        pytest.param({"*:read"}, {"get"}, id="reading anything"),
        pytest.param({"*:update", "books:give"}, {"update", "give"}, id="two"),
        pytest.param({"authors:*", "book:*", "books"}, set(), id="others"),
    ],
)
def test_permissions_are_patterns(permissions: set[str], covers: set[str]) -> None:
    assert {each for each in ("get", "update", "give") if are_covered(permissions, "books", each)} == covers


def test_scopes_limit_what_a_policy_permits_and_show_nothing_they_do_not_cover() -> None:
    only_updates = ScopedPermissions(frozenset({"books:update"}), None)

    assert only_updates.grant(BOOKS, "get") is None
    assert only_updates.grant(BOOKS, "update") == Grant(readable=frozenset())
    assert ScopedPermissions(frozenset({"books:*"}), None).grant(BOOKS, "update") == Grant()
    assert [each.allows for each in only_updates.explain(BOOKS, "get")] == [False]


MISTAKES: dict[str, tuple[Rule, str]] = {
    "action": (allow("updat", to="a"), "books has no action 'updat': did you mean 'update'?"),
    "no action": (allow(to="a"), "allows no action: name one, or '*'"),
    "nobody": (allow("get", to=[]), "is for nobody: name a role in to, or ANYONE"),
    "fields": (
        allow("get", to="a", fields=["titel"]),
        "which is not a readable field: did you mean 'title'?",
    ),
    "write": (
        allow("update", to="a", write=["titel"]),
        "which is not a writable field: did you mean 'title'?",
    ),
    "reads and writes": (allow("read", to="a", write=["title"]), "has write or stamps, and only reads"),
    "field": (allow("get", to="a", rows=Where("owner") == 1), "no field 'owner': did you mean 'owner_id'?"),
    "nothing": (allow("get", to="a", rows=Where("owner_id")), "Where('owner_id') compares nothing"),
    "relation": (allow("get", to="a", rows=Where("author.id") == 1), "books has no relation 'author'"),
    "operator": (
        allow("get", to="a", rows=Where("owner_id", Operator.CONTAINS, 1)),
        "'owner_id' of kind integer cannot be compared by 'contains'",
    ),
    "spelling": (allow("get", to="a", rows={"title__contians": "a"}), "did you mean 'contains'?"),
    "value": (allow("get", to="a", rows=Where("owner_id") == "x"), "'owner_id' cannot be 'x'"),
    "placeholder": (allow("get", to="a", rows={"title": "$principal.name"}), "is nothing about a caller"),
    "tree": (allow("get", to="a", rows={"or": {"title": "a"}}), "'or' takes a list of objects"),
    "stamp": (allow("create", to="a", stamps={"ownr_id": 1}), "did you mean 'owner_id'?"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_says_where_it_stands_and_how_to_mend_it(name: str) -> None:
    rule, says = MISTAKES[name]

    (mistake,) = find_mistakes_in_rules([rule], BOOKS)

    assert mistake.startswith("books.policy[0]: ")
    assert says in mistake


def test_a_rule_that_stands_twice_is_a_mistake() -> None:
    rule = allow("get", to="a", rows=Where("owner_id") == principal.id)
    again = allow("get", to="a", rows=Where("owner_id") == principal.id)

    assert [*find_mistakes_in_rules([rule, again], BOOKS)] == [
        "books.policy[1]: says the same as books.policy[0]: remove one"
    ]


@pytest.mark.parametrize(
    ("permission", "says"),
    [
        pytest.param("boks:read", "'boks' is not a resource: did you mean 'books'?", id="resource"),
        pytest.param("books:raed", "has no action 'raed': did you mean 'read'?", id="action"),
        pytest.param("books", "which is not one: write it like books:update", id="no action"),
    ],
)
def test_a_permission_of_what_is_not_there_is_a_mistake(permission: str, says: str) -> None:
    (mistake,) = RolePolicy({"editor": [permission, "*:read", "books:*"]}).find_mistakes({"books": BOOKS})

    assert says in mistake


def test_rules_about_no_resource_are_a_mistake() -> None:
    (mistake,) = RulePolicy({"boks": [allow("get", to=ANYONE)]}).find_mistakes({"books": BOOKS})

    assert "'boks', which is not a resource: did you mean 'books'?" in mistake


def test_only_claims_have_members() -> None:
    with pytest.raises(TypeError, match=r"principal\.id has no members"):
        _ = principal.id["name"]


@pytest.mark.parametrize("plain", ["$5", "principal.id", "", 7, None])
def test_other_values_of_files_stay_as_they_are(plain: object) -> None:
    assert read_placeholder(plain) == plain


def test_a_file_writes_claims_with_dots() -> None:
    assert read_placeholder("$principal.claims.address.country") == Placeholder(
        ("claims", "address", "country")
    )


def test_conditions_are_told_in_words() -> None:
    told = describe_rows(
        AllOf(
            (
                Where("owner_id") == 7,
                AnyOf((Where("title").in_(["a", "b"]), Not(Where("department") == None))),  # noqa: E711
            )
        )
    )

    assert told == "owner_id == 7 and (title in ('a', 'b') or not (department is null))"
