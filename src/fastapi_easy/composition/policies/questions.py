"""What is asked about the policy of an application: who may do what, and why."""

import logging
from typing import Any, Final

from fastapi_easy.application.context import Context
from fastapi_easy.application.policies.explain_access import ExplainAccess, ExplainAccessHandler, Explanation
from fastapi_easy.application.policies.policy_matrix import PolicyMatrix, make_policy_matrix
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.policies.effective_policy import current_policy
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.policies.bound_rule import known_actions, near
from fastapi_easy.domain.policies.permissions import EVERY, READ
from fastapi_easy.domain.principal import Principal, Tenant

__all__ = ["explain_access", "log_public_operations", "policy_matrix"]

_logger: Final = logging.getLogger("fastapi_easy.policy")


async def explain_access(
    application: Application,
    caller: Principal,
    action: str,
    resource: str,
    key: Key = None,
    tenant: Tenant | None = None,
) -> Outcome[Explanation]:
    """Return what the kernel of *application* would answer *caller*, and which rules decide.

    Fails with: what `ExplainAccessHandler` fails with.

    Raises:
        KeyError: There is no such resource, or it has no such action.
    """
    if resource not in application.declarations:
        raise KeyError(f"there is no resource {resource!r}{near(resource, application.declarations)}")
    declared: Any = application.providers[resource]
    known = [each for each in known_actions(declared.resource()) if each not in {READ, EVERY}]
    if action not in known:
        raise KeyError(f"{resource} has no action {action!r}{near(action, known)}")
    handler = ExplainAccessHandler(declared.collaborators())
    context = Context(principal=caller, tenant=caller.tenant if tenant is None else tenant)
    return await handler(ExplainAccess(action, key), context)


async def policy_matrix(application: Application) -> PolicyMatrix:
    """Return who may do what with the resources of *application*."""
    return await make_policy_matrix(current_policy(application), application.every_resource())


async def log_public_operations(application: Application) -> None:
    """Log, and remember, which operations anonymous callers may use, and with which resources nobody may do anything.

    Nothing is logged where no policy and no authenticator is configured.
    """
    if current_policy(application) is None:
        return
    try:
        matrix = await policy_matrix(application)
    except Exception:
        # A policy of the user's own may fail for sample callers, and for nobody else.
        _logger.exception("what anonymous callers may do is not known: the policy failed when it was asked")
        return
    application.public_operations = matrix.public()
    public = [f"{name}: {', '.join(actions)}" for name, actions in application.public_operations.items()]
    _logger.info("public: %s", "; ".join(public) or "nothing")
    if unreachable := matrix.unreachable():
        _logger.warning("nobody may do anything with: %s", ", ".join(unreachable))
