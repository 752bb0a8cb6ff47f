"""What may be executed: at start, and with which approvals."""

import datetime
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.step import Step

# Names of objects may have spaces in them, and a statement that nobody can read is about no object.
_NARROW: Final = re.compile(r"[A-Z]{2,8}\d{3}:.*", re.DOTALL)
_WIDE: Final = frozenset({"caution", "dangerous", "destructive"})


class MigrationPolicy(enum.StrEnum):
    """What happens to the stored schema at start."""

    AUTO = "auto"
    """Apply what is safe; refuse to start when the program could not run on the rest."""

    CHECK = "check"
    """Create an empty database; else change nothing, and refuse to start when the program could not run."""

    OFF = "off"
    """Do not look."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """What whoever asks for a run allows, beyond what is safe.

    `caution`, `dangerous` (which includes caution), `destructive` (steps that delete data, with what they risk), or
    narrowly the finding of one rule about one object: `DS103:users.legacy`.

    Attributes:
        given: As written.
    """

    given: frozenset[str] = frozenset()

    @classmethod
    def read(cls, texts: Iterable[str]) -> "Approvals":
        """Return the approvals in *texts*.

        Raises:
            ValueError: One of them means nothing, with a sentence that says what would.
        """
        given = frozenset(texts)
        for each in sorted(given):
            if each not in _WIDE and not _NARROW.fullmatch(each):
                raise ValueError(
                    f"{each!r} allows nothing: write caution, dangerous, destructive, or a rule and an object, "
                    "such as DS103:users.legacy"
                )
        return cls(given)

    def lacking(self, step: Step) -> tuple[str, ...]:
        """Return what would have to be given as well for *step* to be executed; empty when it may be.

        A step that deletes data needs `destructive`, or each of its findings; `dangerous` is not enough.
        """
        if step.destructive and "destructive" in self.given:
            return ()
        counting = [each for each in step.findings if each.suppressed is None and each.risk is not Risk.SAFE]
        if not counting:
            needed = "destructive" if step.destructive else step.risk.value
            return () if not step.destructive and self._allows(step.risk) else (needed,)
        return tuple(
            dict.fromkeys(
                name
                for each in counting
                if (name := f"{each.rule}:{each.object}") not in self.given
                and (step.destructive or not self._allows(each.risk))
            )
        )

    def _allows(self, risk: Risk) -> bool:
        match risk:
            case Risk.SAFE:
                return True
            case Risk.CAUTION:
                return bool(self.given & {"caution", "dangerous"})
            case Risk.DANGEROUS:
                return "dangerous" in self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A finding that does not count, for a reason and for a time.

    Attributes:
        rule: The id of the rule.

        object: What it concerns, such as `users.legacy`; `*` at its end stands for anything.

        reason: Why; never empty.

        until: The last day on which it holds.
    """

    rule: str
    object: str
    reason: str
    until: datetime.date

    def covers(self, rule: str, object_: str, today: datetime.date) -> bool:
        """Return whether the finding of *rule* about *object_* is suppressed on *today*."""
        matches = (
            object_.startswith(self.object[:-1]) if self.object.endswith("*") else object_ == self.object
        )
        return rule == self.rule and matches and today <= self.until
