"""Permissions as texts: `books:update`, `books:*`, `*:read`, `*`."""

from collections.abc import Collection
from typing import Final

from fastapi_easy.domain.resources.options import READ_ONLY, RESTORE_IMPORT, Operation

EVERY: Final = "*"
"""Every resource, or every action."""

READ: Final = "read"
"""Every action that shows entities as they are: `get`, `list` (which is what searches ask for too), `count`,
`aggregate`, `export`, `changes`. Their `history` is to be named."""

READS: Final = frozenset(each.value for each in READ_ONLY)
"""What `READ` means."""

BUILT_IN_ACTIONS: Final = (*(each.value for each in Operation), RESTORE_IMPORT)
"""What policies are asked about besides the actions of the user's own."""


def are_covered(permissions: Collection[str], resource: str, action: str) -> bool:
    """Return whether one of *permissions* covers *action* on *resource*."""
    if EVERY in permissions:
        return True
    actions = (action, EVERY, READ) if action in READS else (action, EVERY)
    return any(f"{name}:{each}" in permissions for name in (resource, EVERY) for each in actions)


def split_permission(permission: str) -> tuple[str, str] | None:
    """Return the resource and the action of *permission*, each perhaps `*`; `None` when it is none."""
    if permission == EVERY:
        return EVERY, EVERY
    resource, colon, action = permission.partition(":")
    return (resource, action) if resource and colon and action and ":" not in action else None
