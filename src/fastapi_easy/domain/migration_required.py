"""A program does not start, because the stored schema has to be migrated first."""

from collections.abc import Sequence

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migrations.plan import MigrationPlan


class MigrationRequired(DeclarationError):
    """A program could not run with the stored schema. Raised at start.

    Attributes:
        mistakes: Where the stored schema differs, each a sentence.

        plan: The steps that lead on; `None` when nobody can tell them.

        command: What carries them out on the command line, with what it has to be allowed; empty without a plan.

        notes: What to know before it is used: what in it was guessed, each a sentence.
    """

    def __init__(
        self,
        differences: Sequence[str],
        plan: MigrationPlan | None = None,
        command: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(differences)
        self.plan = plan
        self.command = command
        self.notes = tuple(notes)
        count = len(self.mistakes)
        of = "1 difference" if count == 1 else f"{count} differences"
        lines = [f"{of} between the stored schema and the declarations:"]
        lines += [f"  {number}. {each}" for number, each in enumerate(self.mistakes, 1)]
        if plan:
            lines += [
                "What has to be done:",
                *(f"  {each.risk.value}: {each.summary}" for each in plan.steps),
            ]
            lines += ["The command that does it:", f"  {command}"]
            if notes:
                lines += ["Before you use it:", *(f"  {each}" for each in notes)]
        self.args = ("\n".join(lines),)
