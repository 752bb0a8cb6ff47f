"""The policy that the kernel asks, from everything that is declared."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi_easy.composition.application import Application
from fastapi_easy.domain.policies.verdict import DescribedPolicy
from fastapi_easy.domain.ports import Policy
from fastapi_easy.domain.ports.authenticator import Authenticator
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings

__all__ = [
    "current_policy",
    "effective_policy",
    "find_policy_mistakes",
    "find_rule_mistakes",
]


def effective_policy(
    policy: Policy | None,
    settings: Settings,
    resources: Mapping[str, Resource[Any]],
    authenticators: Sequence[Authenticator],
) -> Policy | None:
    """Return the policy that the kernel asks; `None` where nothing is declared that could forbid anything.

    Args:
        policy: The container's.

        settings: Say what roles may do, where the container has no policy.

        resources: Those with rules of their own are decided by these alone.

        authenticators: Where there are some, what nothing allows is denied.
    """
    rules = {name: each.policy for name, each in resources.items() if each.policy is not None}
    roles = settings.policy.roles if policy is None else ()
    if not rules and not roles and (policy is not None or not authenticators):
        return policy
    # Imported by those who declare rules.
    from fastapi_easy.domain.policies.resource_policy import ResourcePolicy
    from fastapi_easy.domain.policies.rule_policy import RolePolicy, RulePolicy

    if roles:
        policy = RolePolicy(settings.policy.roles)
    if not rules and policy is not None:
        return policy
    return ResourcePolicy(RulePolicy(rules), policy)


def find_rule_mistakes(resources: Mapping[str, Resource[Any]]) -> list[str]:
    """Return a sentence for every mistake in the rules of *resources*, whose relations are linked."""
    ruled = [each for each in resources.values() if each.policy]
    if not ruled:
        return []
    from fastapi_easy.domain.policies.rule_policy import find_mistakes_in_rules

    return [mistake for each in ruled for mistake in find_mistakes_in_rules(each.policy or (), each)]


def find_policy_mistakes(application: Application) -> list[str]:
    """Return a sentence for every mistake in the container's policy, and in that of the settings."""
    policy, settings = application.policy(), application.settings()
    mistakes = []
    # A test that overrides the policy means its own.
    if policy is not None and settings.policy.roles and application.policy.last_overriding is None:
        mistakes.append(
            "policy.roles is set, and the container has a policy of its own: leave one of them out"
        )
    made = current_policy(application)
    if isinstance(made, DescribedPolicy):
        mistakes += made.find_mistakes({each.name: each for each in application.every_resource()})
    return mistakes


def current_policy(application: Application) -> Policy | None:
    """Return the policy that the kernel of *application* asks by now."""
    return effective_policy(
        application.policy(),
        application.settings(),
        {each.name: each for each in application.every_resource()},
        application.authenticators(),
    )
