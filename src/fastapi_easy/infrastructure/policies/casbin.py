"""Decisions of pycasbin behind the policy port. Needs the extra `casbin`."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.policies.permissions import READ, READS
from fastapi_easy.domain.policies.verdict import Verdict
from fastapi_easy.domain.ports.policy import Permissions
from fastapi_easy.domain.principal import Principal, Tenant
from fastapi_easy.domain.resources.resource import Resource

_WITH_DOMAIN = 4
"""Members of a request `r = sub, dom, obj, act`."""

_DENY = "deny"


class Enforcer(Protocol):
    """What is asked of `casbin.Enforcer`."""

    def get_model(self) -> Any:
        """Return the model."""
        ...

    def get_all_subjects(self) -> list[str]:
        """Return the subjects that rules name."""
        ...

    def get_all_roles(self) -> list[str]:
        """Return the roles that subjects are given."""
        ...

    def enforce_ex(self, *request: str) -> tuple[bool, Sequence[str]]:
        """Return whether *request* is allowed, and the rule that decided, if one did."""
        ...


class CasbinPolicy:
    """Implements `Policy` by an enforcer: it says which actions are allowed, for all entities and fields.

    A request is `(subject, resource, action)`, or `(subject, tenant, resource, action)` where the model has four
    members. Subjects are the id of the caller, and each of their roles: it is enough that one of them is allowed,
    unless the enforcer denies another one expressly (`eft` is `deny`). What only reads is asked for as `read` too.

    The enforcer is asked in this thread and must hold its policy in memory, as it does once it is loaded.

    Args:
        enforcer: An enforcer of pycasbin; one of its asynchronous ones does not fit.
    """

    unlisted: tuple[str, ...] = ()

    def __init__(self, enforcer: Enforcer) -> None:
        self._enforcer = enforcer
        self._has_domain = len(enforcer.get_model()["r"]["r"].tokens) == _WITH_DOMAIN

    @classmethod
    def from_files(cls, model: Path | str, policy: Path | str) -> "CasbinPolicy":
        """Return the policy of an enforcer with the files *model* and *policy*.

        Raises:
            DeclarationError: pycasbin is not installed, or a file is not there.
        """
        try:
            casbin: Any = importlib.import_module("casbin")
        except ImportError:
            raise DeclarationError(
                ['policy: pycasbin is not installed: pip install "fastapi_easy[casbin]"']
            ) from None
        if missing := [str(each) for each in (model, policy) if not Path(each).is_file()]:
            raise DeclarationError([f"policy: there is no file {each}" for each in missing])
        return cls(casbin.Enforcer(str(model), str(policy)))

    @property
    def roles(self) -> frozenset[str]:
        """The subjects that the enforcer knows, users among them."""
        return frozenset((*self._enforcer.get_all_subjects(), *self._enforcer.get_all_roles()))

    def find_mistakes(self, _: Mapping[str, Resource[Any]], /) -> Sequence[str]:
        """Return nothing: what a policy of casbin may say depends on its matchers."""
        return ()

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the permissions of *principal*, who is asked for by id and by each role."""
        return _CasbinPermissions(self, principal, tenant)

    async def outline(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        """Return the same."""
        return _CasbinPermissions(self, principal, tenant)

    def decide(
        self, principal: Principal, tenant: Tenant | None, resource: str, action: str
    ) -> Sequence[tuple[bool, Sequence[str]]]:
        """Return the answer to each request for *action*, with the rule of casbin's that decided."""
        subjects = [each for each in (principal.id, *sorted(principal.roles)) if each]
        domain = (tenant or "",) if self._has_domain else ()
        names = (action, READ) if action in READS else (action,)
        return [
            self._enforcer.enforce_ex(subject, *domain, resource, name)
            for subject in subjects
            for name in names
        ]


class _CasbinPermissions:
    __slots__ = ("_policy", "_principal", "_tenant")

    def __init__(self, policy: CasbinPolicy, principal: Principal, tenant: Tenant | None) -> None:
        self._policy, self._principal, self._tenant = policy, principal, tenant

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        decided = self._policy.decide(self._principal, self._tenant, resource.name, action)
        if any(_denies(allowed, rule) for allowed, rule in decided):
            return None
        return Grant() if any(allowed for allowed, _ in decided) else None

    def explain(self, resource: Resource[Any], action: str, /) -> Sequence[Verdict]:
        decided = self._policy.decide(self._principal, self._tenant, resource.name, action)
        told = [
            Verdict(
                f"casbin: {', '.join(rule)}", allowed, "denies expressly" if _denies(allowed, rule) else ""
            )
            for allowed, rule in decided
            if rule
        ]
        return told or [Verdict("casbin", any(allowed for allowed, _ in decided), "no rule matches")]


def _denies(allowed: bool, rule: Sequence[str]) -> bool:
    return not allowed and bool(rule) and rule[-1] == _DENY
