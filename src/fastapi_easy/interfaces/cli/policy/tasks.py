"""The functions that the commands below `policy` need from the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi_easy.interfaces.cli.tasks import Target

Document: TypeAlias = Mapping[str, Any]
"""What is printed as JSON, and laid out for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyQuestion:
    """Whether a caller may do something.

    Attributes:
        target: The application.

        caller: The id of the caller; empty for an anonymous one.

        roles: Theirs.

        claims: Theirs, by name.

        scopes: Those of their credentials; `None` for credentials without a limit.

        tenant: The partition they work in, if any.

        action: The action.

        entity: A resource, or an entity as paths name it: `books/7`.
    """

    target: Target
    caller: str
    roles: tuple[str, ...]
    claims: Mapping[str, Any]
    scopes: tuple[str, ...] | None
    tenant: str | None
    action: str
    entity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTasks:
    """The functions behind the commands. Each raises `CommandError`.

    Attributes:
        explain: Returns why a caller may do something, or may not.

        matrix: Returns who may do what.
    """

    explain: Callable[[PolicyQuestion], Document]
    matrix: Callable[[Target], Document]


LoadPolicyTasks: TypeAlias = Callable[[], PolicyTasks]
"""Returns them, once a command needs them."""
