"""Judges steps by the rules of a program."""

import datetime
from collections.abc import Callable, Sequence

from fastapi_easy.application.migrations.assessing.assessment import assess, questions_for
from fastapi_easy.application.migrations.assessing.assessor import Assessment
from fastapi_easy.domain.migrations.change import Change, Dialect
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.domain.ports.schema_store import Draft


class RuleAssessor:
    """Implements `Assessor`.

    Args:
        rules: Those of this system, and the program's own.

        dialect: The kind of database.

        suppressions: Findings that the settings say do not count.

        today: Returns the day, for suppressions.
    """

    def __init__(
        self,
        rules: RuleSet,
        dialect: Dialect,
        suppressions: Sequence[Suppression],
        today: Callable[[], datetime.date],
    ) -> None:
        self._rules = rules
        self._dialect = dialect
        self._suppressions = tuple(suppressions)
        self._today = today

    def questions(self, changes: Sequence[Change]) -> Sequence[str]:
        """Return what has to be known of the data to judge *changes*."""
        return questions_for(changes, self._rules, self._dialect)

    def assess(
        self, draft: Draft, statistics: Statistics, suppressions: Sequence[Suppression] = ()
    ) -> Assessment:
        """Judge the steps of *draft*."""
        return assess(
            draft,
            statistics,
            self._rules,
            dialect=self._dialect,
            suppressions=(*self._suppressions, *suppressions),
            today=self._today(),
        )
