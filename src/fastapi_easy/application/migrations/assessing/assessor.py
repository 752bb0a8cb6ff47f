"""What plans need to know of rules: which questions they ask, and what they say of steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fastapi_easy.domain.migrations.change import Change
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Finding, Statistics
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.ports.schema_store import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What rules say of the steps of a draft.

    Attributes:
        steps: The steps, with risk, findings and whether they delete data.

        findings: What concerns no single step.
    """

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...] = ()


class Assessor(Protocol):
    """Judges steps by rules."""

    def questions(self, changes: Sequence[Change]) -> Sequence[str]:
        """Return what has to be known of the data to judge *changes*; see `Statistics`."""
        ...

    def assess(
        self, draft: Draft, statistics: Statistics, suppressions: Sequence[Suppression] = ()
    ) -> Assessment:
        """Judge the steps of *draft*.

        Args:
            draft: The steps, and the stored schema that they are for.

            statistics: What is known of the data; what is not counts as the worst.

            suppressions: What migration scripts say does not count, beside what the settings say.
        """
        ...
