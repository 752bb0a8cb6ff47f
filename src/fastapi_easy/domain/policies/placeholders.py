"""What stands in a rule for something about the caller, until there is one: `principal.id`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.principal import Principal, Tenant

_WRITTEN: Final = "$principal"
"""How files begin a placeholder: `$principal.claims.department`."""

_PLAIN: Final = ("id", "tenant", "roles")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Something about the caller.

    Attributes:
        path: `("id",)`, or `("claims", "department")`.
    """

    path: tuple[str, ...]

    def __getitem__(self, name: str) -> "Placeholder":
        """Return the placeholder of a member: `principal.claims["address"]["country"]`.

        Raises:
            TypeError: Only claims have members.
        """
        if self.path[0] != "claims":
            raise TypeError(f"{self} has no members: only principal.claims has")
        return Placeholder((*self.path, name))

    def __str__(self) -> str:
        """Return it as Python code writes it."""
        head, *members = self.path
        return f"principal.{head}" + "".join(f"[{each!r}]" for each in members)

    def resolve(self, principal: Principal, tenant: Tenant | None) -> Any:
        """Return what it is of *principal*, who works in *tenant*; `UNSET` where that was never said."""
        match self.path:
            case ("id",):
                return principal.id or UNSET
            case ("tenant",):
                return tenant or UNSET
            case ("roles",):
                return tuple(sorted(principal.roles))
            case (_, *members):
                found: Any = principal.claims
                for name in members:
                    found = found.get(name) if isinstance(found, Mapping) else None
                return UNSET if found is None else found
            case _:
                return UNSET


class PrincipalPlaceholders:
    """The caller, wherever a rule is declared.

    Attributes:
        id: `Principal.id`. Nobody in particular for an anonymous caller.

        tenant: The partition that the call works in.

        roles: `Principal.roles`, as several values: `Where("group").in_(principal.roles)`.

        claims: `Principal.claims`, by name: `principal.claims["department"]`.
    """

    __slots__ = ()

    id: Final = Placeholder(("id",))
    tenant: Final = Placeholder(("tenant",))
    roles: Final = Placeholder(("roles",))
    claims: Final = Placeholder(("claims",))


principal: Final = PrincipalPlaceholders()


def read_placeholder(written: object) -> object:
    """Return the placeholder that a file writes as *written*, like `$principal.id`; any other value as it is.

    Raises:
        ValueError: It begins like a placeholder, and is none.
    """
    if not isinstance(written, str) or written.partition(".")[0] != _WRITTEN:
        return written
    _, *path = written.split(".")
    if (len(path) == 1 and path[0] in _PLAIN) or (len(path) > 1 and path[0] == "claims" and all(path)):
        return Placeholder(tuple(path))
    raise ValueError(
        f"{written!r} is nothing about a caller: write $principal.id, $principal.tenant, $principal.roles or "
        "$principal.claims.<name>"
    )
