"""pycasbin behind the policy port, with the library itself."""

from collections.abc import Callable
from pathlib import Path

import casbin
import pytest

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.policies.composed_policy import all_of
from fastapi_easy.domain.policies.rule import ANYONE, allow
from fastapi_easy.domain.policies.rule_policy import RulePolicy
from fastapi_easy.domain.policies.verdict import DescribedPolicy, ExplainedPermissions
from fastapi_easy.domain.principal import ANONYMOUS, Principal
from fastapi_easy.domain.queries.specification import Where
from fastapi_easy.infrastructure.policies.casbin import CasbinPolicy
from tests.unit.domain.policies.books import books

BOOKS = books()
ROLES = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && (r.act == p.act || p.act == "*")
"""
RULES = """
p, editor, books, read, allow
p, editor, books, update, allow
p, admin, books, *, allow
p, bob, books, update, deny
g, carol, admin
"""
DOMAINS = """
[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.dom == p.dom && r.obj == p.obj && r.act == p.act
"""

Files = Callable[[str, str], CasbinPolicy]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    def written(model: str, rules: str) -> CasbinPolicy:
        (tmp_path / "model.conf").write_text(model)
        (tmp_path / "policy.csv").write_text(rules)
        return CasbinPolicy.from_files(tmp_path / "model.conf", tmp_path / "policy.csv")

    return written


async def allowed(policy: CasbinPolicy, caller: Principal, tenant: str | None = None) -> set[str]:
    permissions = await policy.permissions(caller, tenant)
    return {
        each for each in ("get", "list", "update", "delete") if permissions.grant(BOOKS, each) is not None
    }


@pytest.mark.parametrize(
    ("caller", "may"),
    [
        pytest.param(
            Principal(id="ada", roles=frozenset({"editor"})), {"get", "list", "update"}, id="by a role"
        ),
        pytest.param(Principal(id="carol"), {"get", "list", "update", "delete"}, id="by a role of casbin's"),
        pytest.param(
            Principal(id="bob", roles=frozenset({"editor"})), {"get", "list"}, id="denied expressly"
        ),
        pytest.param(Principal(id="zoe", roles=frozenset({"visitor"})), set(), id="unknown"),
        pytest.param(ANONYMOUS, set(), id="anonymous"),
    ],
)
async def test_casbin_decides_by_id_and_by_role(files: Files, caller: Principal, may: set[str]) -> None:
    assert await allowed(files(ROLES, RULES), caller) == may


async def test_a_model_with_domains_is_asked_with_the_tenant(files: Files) -> None:
    policy = files(DOMAINS, "p, ada, acme, books, update\n")

    assert await allowed(policy, Principal(id="ada"), "acme") == {"update"}
    assert await allowed(policy, Principal(id="ada"), "other") == set()
    assert await allowed(policy, Principal(id="ada")) == set()


async def test_rules_limit_the_entities_of_what_casbin_allows(files: Files) -> None:
    own = RulePolicy({"books": [allow("*", to=ANYONE, rows=Where("owner_id") == 7)]})
    permissions = await all_of(files(ROLES, RULES), own).permissions(Principal(id="carol"), None)

    assert permissions.grant(BOOKS, "update") == Grant(rows=Where("owner_id") == 7)


async def test_the_rule_of_casbins_that_decided_is_told(files: Files) -> None:
    policy = files(ROLES, RULES)
    permissions = await policy.permissions(Principal(id="bob", roles=frozenset({"editor"})), None)

    assert isinstance(policy, DescribedPolicy)
    assert policy.roles >= {"editor", "admin"}
    assert isinstance(permissions, ExplainedPermissions)
    assert [(each.place, each.allows, each.reason) for each in permissions.explain(BOOKS, "update")] == [
        ("casbin: bob, books, update, deny", False, "denies expressly"),
        ("casbin: editor, books, update, allow", True, ""),
    ]


async def test_an_enforcer_of_the_users_own_is_followed() -> None:
    model = casbin.Model()
    model.load_model_from_text(DOMAINS.replace("sub, dom, obj", "sub, obj").replace("r.dom == p.dom && ", ""))
    enforcer = casbin.Enforcer(model)
    policy = CasbinPolicy(enforcer)

    assert await allowed(policy, Principal(id="ada")) == set()
    enforcer.add_policy("ada", "books", "read")
    assert await allowed(policy, Principal(id="ada")) == {"get", "list"}


def test_a_file_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"there is no file .*model\.conf"):
        _ = CasbinPolicy.from_files(tmp_path / "model.conf", tmp_path / "policy.csv")
