"""The steps made so far, each tried on an empty copy of the schema."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from fastapi_easy.infrastructure.migrations.relational.sqlite.scratch import Scratch


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """A way to undo a step.

    Attributes:
        make: Returns the statements; called when the step is carried out on the copy.

        mode: How they are executed.
    """

    make: Callable[[], Sequence[str]]
    mode: StepMode = StepMode.TRANSACTION


class StepList:
    """The steps made so far. Where they lead is what `scratch` is afterwards.

    Args:
        scratch: A copy of the stored schema.
    """

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.steps: list[Step] = []
        self._problems = scratch.problems()
        self._broken: frozenset[str] | None = None

    def append(self, step: Step, *ways_back: Reverse) -> None:
        """Try *step* on the copy, and add it.

        Args:
            step: What is added.

            ways_back: What undoes it. The first that SQLite accepts on the copy is taken; without any there is no way
                back.

        Raises:
            SqliteRefusal: SQLite does not accept it, or something else would be broken afterwards.
        """
        scratch = self.scratch
        is_rebuild = step.mode is StepMode.REBUILD
        broken = self._broken_references() if is_rebuild else None
        try:
            scratch.execute(step.statements, rebuild=is_rebuild)
        except sqlite3.Error as error:
            raise SqliteRefusal(f"SQLite does not accept this: {step.summary}: {error}") from error
        problems = scratch.problems()
        if more := problems - self._problems:
            raise SqliteRefusal(
                f"something else would be broken afterwards: {step.summary}: {'; '.join(sorted(more))}."
                " Drop or change that first"
            )
        self._broken = scratch.broken_references() if is_rebuild else None
        if broken is not None and self._broken is not None and (more := self._broken - broken):
            raise SqliteRefusal(
                f"foreign keys would be broken afterwards: {step.summary}: {'; '.join(sorted(more))}"
            )
        self._problems = problems
        self.steps.append(self._with_reverse(step, ways_back))

    def append_unchecked(self, step: Step) -> None:
        """Add *step*, which may need rows to succeed."""
        with suppress(sqlite3.Error):
            self.scratch.execute(step.statements)
        self._problems, self._broken = self.scratch.problems(), None
        self.steps.append(step)

    def _broken_references(self) -> frozenset[str]:
        return self.scratch.broken_references() if self._broken is None else self._broken

    def _with_reverse(self, step: Step, ways_back: Sequence[Reverse]) -> Step:
        for each in ways_back:
            statements = tuple(each.make())
            with self.scratch.trial(), suppress(sqlite3.Error):
                self.scratch.execute(statements, rebuild=each.mode is StepMode.REBUILD)
                return replace(step, reverse=statements, reverse_mode=each.mode)
        return replace(step, reverse=(), reversibility=Reversibility.NONE)
