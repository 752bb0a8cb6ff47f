"""The permissions of a caller whose credentials may be used for some actions only."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from fastapi_easy.domain.access import Grant
from fastapi_easy.domain.policies.permissions import READS, are_covered
from fastapi_easy.domain.policies.verdict import Verdict, verdicts_of
from fastapi_easy.domain.ports.policy import Permissions
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource

_NO_FIELDS: Final = frozenset[str]()


class ScopedPermissions:
    """Implements `ExplainedPermissions`: what *inner* permits, as far as *scopes* cover it.

    Credentials that do not cover `get` show nothing but the key of what they change.

    Args:
        scopes: The permissions of the credentials, like `books:update`.

        inner: The permissions of their owner; `None` permits everything.

        place: Where those stand, for explanations.
    """

    __slots__ = ("_inner", "_place", "_scopes")

    def __init__(self, scopes: frozenset[str], inner: Permissions | None, place: str = "policy") -> None:
        self._scopes, self._inner, self._place = scopes, inner, place

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        """Return what both permit."""
        if not are_covered(self._scopes, resource.name, action):
            return None
        granted = Grant() if self._inner is None else self._inner.grant(resource, action)
        if granted is None or action in READS or are_covered(self._scopes, resource.name, Operation.GET):
            return granted
        return replace(granted, readable=_NO_FIELDS)

    def explain(self, resource: Resource[Any], action: str, /) -> Sequence[Verdict]:
        """Return what the scopes say, then what the rules say."""
        is_covered = are_covered(self._scopes, resource.name, action)
        shown = ", ".join(sorted(self._scopes)) or "nothing"
        own = Verdict("scopes of the credentials", is_covered, "" if is_covered else f"they cover {shown}")
        others = () if self._inner is None else verdicts_of(self._inner, resource, action, self._place)
        return (own, *others)
