"""What is asked of a door."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.testing.conformance.policy.answers import Answer, leaves

Item = tuple[str, Any, Any]
"""An item of a bulk: `create` or `upsert`, nothing, values; `update` or `delete`, key, values; `update_where` or
`delete_where`, a condition, values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call, whatever the door.

    Attributes:
        operation: The operation, or the name of an action.

        key: The key of the entity it is about.

        params: The parameters of a query in the grammar of HTTP, with Python values.

        values: The values of an entity, or the fields of an action.

        version: The version that the change is based on, or that a read need not repeat.

        items: The items of a bulk.

        lines: The lines of an import.

        atomic: Whether the items are all or none.

        dry_run: Whether nothing is to be committed.

        where: A condition for a search.

        about: What is special about it, in words.

        needs: The operations beside its own that a caller must be permitted for it.
    """

    operation: str
    key: Key = None
    params: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] | None = None
    version: str | None = None
    items: Sequence[Item] = ()
    lines: Sequence[Mapping[str, Any]] = ()
    atomic: bool = False
    dry_run: bool = False
    where: Mapping[str, Any] | None = None
    about: str = ""
    needs: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"{self.operation} ({self.about})" if self.about else self.operation

    def given(self) -> Iterator[Any]:
        """Yield every value that the caller knows because it is in the question."""
        for part in (self.params, self.values, self.where, self.items, self.lines):
            yield from leaves(part)


class Door(Protocol):
    """One way in, for one caller."""

    name: str

    async def ask(self, resource: Resource[Any], question: Question) -> Answer | None:
        """Return the answer to *question* about *resource*; `None` where this door does not offer that."""
        ...
