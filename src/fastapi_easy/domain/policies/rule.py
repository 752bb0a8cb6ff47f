"""Rules: who may do what with which entities of one resource."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi_easy.domain.queries.specification import Everything, Specification

ANYONE: Final = "$anyone"
"""Whoever calls, also without saying who."""

AUTHENTICATED: Final = "$authenticated"
"""Whoever has said who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Allows something. What no rule allows is denied.

    Attributes:
        actions: Names of operations and of actions of the user's own, `read`, or `*`.

        to: Roles, `ANYONE` or `AUTHENTICATED`; a caller needs one of them.

        rows: The entities it is about: a specification, whose values may be placeholders, or a `where` tree.

        fields: The readable fields that are shown. `None` means all; of a rule that is not about reading, those that
            the caller may `get`.

        write: The writable fields that may be set; `None` means all.

        stamps: What each new entity gets, whatever the caller says; values may be placeholders.
    """

    actions: tuple[str, ...]
    to: tuple[str, ...]
    rows: Specification | Mapping[str, Any] = Everything()
    fields: tuple[str, ...] | None = None
    write: tuple[str, ...] | None = None
    stamps: Mapping[str, object] = field(default_factory=dict)


def allow(
    *actions: str,
    to: str | Iterable[str],
    rows: Specification | Mapping[str, Any] = Everything(),
    fields: Sequence[str] | None = None,
    write: Sequence[str] | None = None,
    stamps: Mapping[str, object] | None = None,
) -> Rule:
    """Make a rule: `allow("update", to="editor", rows=Where("owner_id") == principal.id)`.

    Args:
        actions: Names of operations and of actions of your own, `read` for all that only read, or `*` for all.

        to: A role or several, `ANYONE`, or `AUTHENTICATED`.

        rows: The entities it is about; every one unless given. A name may lead along relations: `Where("author.id")`.

        fields: The readable fields that are shown; all unless given. Without them a rule about writing shows what the
            caller may read by another.

        write: The writable fields that may be set; all unless given.

        stamps: What each new entity gets, whatever the caller says: `{"owner_id": principal.id}`.
    """
    return Rule(
        actions=tuple(str(each) for each in actions),
        to=(to,) if isinstance(to, str) else tuple(to),
        rows=rows,
        fields=_names(fields),
        write=_names(write),
        stamps={} if stamps is None else dict(stamps),
    )


def _names(given: Sequence[str] | None) -> tuple[str, ...] | None:
    # One text would be read letter by letter.
    return None if given is None else (given,) if isinstance(given, str) else tuple(given)
