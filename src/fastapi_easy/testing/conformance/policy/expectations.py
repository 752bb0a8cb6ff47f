"""What the callers of the suite may do, as the user says, and not as the policy does."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.principal import ANONYMOUS, Principal
from fastapi_easy.domain.resources.options import READ_ONLY

OWNER: Final = "owner"
FOREIGN: Final = "foreign"
POWERLESS: Final = "powerless"
NOBODY: Final = "anonymous"

Permitted = Mapping[str, Collection[str]]
"""Operations and actions by resource; `read` stands for those that read, and `*` for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """The callers, and what is permitted to them beside what is their own.

    Attributes:
        owner: The caller who makes the entities.

        foreign: A caller with the same rights, but on other entities: of another tenant, or another owner.

        powerless: A caller without any rights.

        public: What everybody may do to every entity, callers who do not say who they are included.

        authenticated: What everybody may do who says who they are: *foreign* and *powerless*.

        shared: What *foreign* may do to the entities of *owner*.

        unreadable: The fields of each resource that not even *owner* may read.

        unwritable: The fields of each resource that not even *owner* may set.
    """

    owner: Principal
    foreign: Principal
    powerless: Principal
    public: Permitted = field(default_factory=dict)
    authenticated: Permitted = field(default_factory=dict)
    shared: Permitted = field(default_factory=dict)
    unreadable: Permitted = field(default_factory=dict)
    unwritable: Permitted = field(default_factory=dict)

    def principal(self, caller: str) -> Principal:
        """Return who *caller* is."""
        known = {OWNER: self.owner, FOREIGN: self.foreign, POWERLESS: self.powerless}
        return known.get(caller, ANONYMOUS)

    def permits(self, caller: str, resource: str, operation: str) -> bool:
        """Return whether *caller* may do *operation* to entities of *resource* that are not theirs."""
        if _includes(self.public.get(resource, ()), operation):
            return True
        if caller != NOBODY and _includes(self.authenticated.get(resource, ()), operation):
            return True
        return caller == FOREIGN and _includes(self.shared.get(resource, ()), operation)

    def may_see(self, caller: str, resource: str) -> bool:
        """Return whether *caller* may read entities of *resource* that are not theirs."""
        return any(self.permits(caller, resource, each) for each in READ_ONLY)


def _includes(permitted: Collection[str], operation: str) -> bool:
    return operation in permitted or "*" in permitted or ("read" in permitted and operation in READ_ONLY)
