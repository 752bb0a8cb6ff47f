"""What leads from the stored schema to the declared one, with what can be guessed, as a command that can be pasted."""

from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.application.migrations.planning.suggestions import (
    find_examples,
    find_missing_values,
    suggest_hints,
)
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.interfaces.cli.migrate.reports.next_command import apply_command
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTarget, Planning


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A way to the declared schema.

    Attributes:
        plan: The steps.

        command: What carries them out, with what it has to be allowed.

        notes: What in it was guessed, or nobody can guess, each a sentence.
    """

    plan: MigrationPlan
    command: str
    notes: tuple[str, ...]


async def propose(migrations: Migrations, at: MigrationTarget) -> Outcome[Proposal]:
    """Return the plan of now with what it lets guess: a rename loses nothing, and old rows get what new ones would.

    Args:
        migrations: Those of the database.

        at: How the command names it.

    Fails with:
        MigrationStopped, Unavailable: As `PlanMigrationHandler`.
    """
    planned = await migrations.plan()
    if isinstance(planned, Failure):
        return planned
    plan, hints = planned.unwrap(), Hints()
    suggested = suggest_hints(plan, hints)
    if suggested != hints:
        replanned = await migrations.plan(suggested)
        if isinstance(replanned, Success):
            plan, hints = replanned.unwrap(), suggested
    command = apply_command(Planning(at=at, hints=hints), plan)
    return Success(Proposal(plan=plan, command=command, notes=tuple(_notes(plan, hints))))


def _notes(plan: MigrationPlan, hints: Hints) -> list[str]:
    return [
        *(
            f"the table {new} is taken for {old} under a new name; if it is another one, give --allow DS109:{new} "
            "instead of --rename: it is created then, and begins empty"
            for old, new in hints.renamed_tables.items()
        ),
        *(
            f"the column {old} is taken for {new} under a new name; without --rename it is dropped with its values"
            for old, new in hints.renamed_columns.items()
        ),
        *(
            f"rows that exist get {value} in {column}, an example: write there what you mean"
            for column, value in find_examples(hints, plan).items()
        ),
        *(
            f"rows that exist have no value for {column}: write one for VALUE, as SQL; or let it be null in the class"
            for column in find_missing_values(plan)
        ),
    ]
