"""What is published of the changes of a resource, and what the audit trail records of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.field import Field

VERBS: Final = ("created", "updated", "deleted", "restored", "purged")
"""What can happen to an entity, as names of messages end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Every change of a resource is written to the outbox, in the transaction of the change.

    From there it is published to the broker of the application, to webhooks, and in the change feed.

    Attributes:
        verbs: The changes that are published.

        fields: The readable fields that messages contain; all of them unless named.

        before: Messages also contain the values from before the change, which costs a read for each. Where a policy
            has conditions on rows, the feed then shows deletions to those who could see the entity, else only to
            those who may see every entity.
    """

    verbs: Sequence[str] = VERBS
    fields: Sequence[str] | None = None
    before: bool = False

    def find_mistakes(self, fields: Mapping[str, Field], readable: Sequence[str]) -> list[str]:
        """Return what is wrong with it, sentences with the way to mend each."""
        mistakes = [
            f"events.verbs: there is no {verb!r}: use some of {', '.join(VERBS)}"
            for verb in self.verbs
            if verb not in VERBS
        ]
        for name in self.fields or ():
            if name not in fields:
                mistakes.append(f"events.fields: there is no field {name!r}: use {', '.join(fields)}")
            elif name not in readable:
                mistakes.append(
                    f"events.fields: {name!r} is not readable: add it to fields.read, or leave it out"
                )
        return mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Every change of a resource is recorded in the audit trail, in the transaction of the change.

    Attributes:
        fields: The readable fields whose values from before and after a change are recorded; all of them unless
            named. Secret fields and passwords never are.

        personal: Those of *fields* that are recorded encrypted, with a key of the person whom they are about:
            `fastapi-easy audit erase` destroys that key, and no proof is broken.

        subject: The field that says whom they are about; the key of the entity unless named.

        reads: Also record who read which entities (`get`, `list`, `export`, `history`), after they were answered.
    """

    fields: Sequence[str] | None = None
    personal: Sequence[str] = ()
    subject: str | None = None
    reads: bool = False

    def find_mistakes(
        self, fields: Mapping[str, Field], recorded: Sequence[str], key: Sequence[str]
    ) -> list[str]:
        """Return what is wrong with it, sentences with the way to mend each.

        Args:
            fields: All of the resource.

            recorded: Those that may be recorded.

            key: Those that identify an entity.
        """
        named = [("fields", name) for name in self.fields or ()]
        named += [("personal", name) for name in self.personal]
        if self.subject is not None:
            named.append(("subject", self.subject))
        mistakes: list[str] = []
        for option, name in named:
            if name not in fields:
                mistakes.append(f"audit.{option}: there is no field {name!r}: use {', '.join(fields)}")
            elif name not in recorded:
                mistakes.append(
                    f"audit.{option}: {name!r} is secret or not readable, so that it cannot be recorded: leave it out"
                )
        mistakes += [
            f"audit.personal: {name!r} is part of the key, which stands in every entry: identify entities by something "
            "that says nothing about a person"
            for name in self.personal
            if name in key
        ]
        if self.fields is not None:
            mistakes += [
                f"audit.personal: {name!r} is not recorded: add it to audit.fields"
                for name in self.personal
                if name not in self.fields
            ]
        return mistakes
