"""What callers may do, written in a file."""

from typing import Any

from fastapi_easy.domain.policies.placeholders import read_placeholder
from fastapi_easy.domain.policies.rule import Rule, allow
from fastapi_easy.settings.section import Section


class PolicySettings(Section):
    """What callers may do.

    Attributes:
        roles: The permissions of each role, like `books:update`; for a container without a policy of its own.
    """

    roles: dict[str, tuple[str, ...]] = {}


class RuleSettings(Section):
    """A rule of a resource, with the option names of `allow()`.

    Attributes:
        allow: The actions.

        to: The roles; `$anyone` and `$authenticated` for callers without one.

        rows: A `where` tree; `$principal.id` and the like stand for the caller.
    """

    allow: str | tuple[str, ...]
    to: str | tuple[str, ...]
    rows: dict[str, Any] = {}
    fields: tuple[str, ...] | None = None
    write: tuple[str, ...] | None = None
    stamps: dict[str, Any] = {}

    def rule(self) -> Rule:
        """Return the rule that was written.

        Raises:
            ValueError: A stamp begins like a placeholder, and is none.
        """
        actions = (self.allow,) if isinstance(self.allow, str) else self.allow
        return allow(
            *actions,
            to=self.to,
            rows=self.rows,
            fields=self.fields,
            write=self.write,
            stamps={name: read_placeholder(value) for name, value in self.stamps.items()},
        )
