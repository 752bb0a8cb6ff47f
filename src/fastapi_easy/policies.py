"""What callers may do: rules, roles, their combination, and what explains them."""

from typing import cast

from fastapi_easy.application.policies.explain_access import Decision, Explanation
from fastapi_easy.application.policies.policy_matrix import MatrixCell, MatrixRow, PolicyMatrix
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.policies.questions import explain_access, policy_matrix
from fastapi_easy.container import Container
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.policies.composed_policy import all_of, any_of
from fastapi_easy.domain.policies.placeholders import principal
from fastapi_easy.domain.policies.rule import ANYONE, AUTHENTICATED, Rule, allow
from fastapi_easy.domain.policies.rule_policy import RolePolicy, RulePolicy
from fastapi_easy.domain.policies.verdict import DescribedPolicy, ExplainedPermissions, Verdict
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.queries.specification import Where
from fastapi_easy.infrastructure.policies.casbin import CasbinPolicy

__all__ = [
    "ANYONE",
    "AUTHENTICATED",
    "CasbinPolicy",
    "Decision",
    "DescribedPolicy",
    "ExplainedPermissions",
    "Explanation",
    "MatrixCell",
    "MatrixRow",
    "Permissions",
    "Policy",
    "PolicyMatrix",
    "RolePolicy",
    "Rule",
    "RulePolicy",
    "Verdict",
    "Where",
    "all_of",
    "allow",
    "any_of",
    "explain",
    "matrix",
    "principal",
]


async def explain(
    container: Container,
    caller: Principal,
    action: str,
    resource: str,
    key: Key = None,
    *,
    tenant: Tenant | None = None,
) -> Outcome[Explanation]:
    """Explain what the kernel would answer *caller*, and which rules decide. Nothing is done.

    It tells whether an entity exists, whoever *caller* is: it is for those who run the program.

    Args:
        container: An instance of your container, whose databases are open where *key* is given.

        caller: Who would call.

        action: The name of an operation, or of an action of your own.

        resource: The name of the resource.

        key: The entity; without one the action in general.

        tenant: The partition to work in; that of *caller* unless given.

    Fails with:
        NotFound: There is no entity with that key at all.

    Raises:
        KeyError: There is no such resource, or it has no such action.
    """
    application = cast("Application", container)
    return await explain_access(application, caller, action, resource, key, tenant)


async def matrix(container: Container) -> PolicyMatrix:
    """Return who may do what: every action of every resource, by kind of caller.

    Args:
        container: An instance of your container.
    """
    return await policy_matrix(cast("Application", container))
