"""The commands that the user is likely to want next, as they can be pasted into a shell."""

import shlex

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.interfaces.cli.migrate.parameters import options_of
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTarget, Planning
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER


def apply_command(planning: Planning, plan: MigrationPlan) -> str:
    """Return the command that applies *plan*, with everything that has to be allowed.

    `VALUE` stands in it for what only a person knows.
    """
    from fastapi_easy.application.migrations.planning.suggestions import find_missing_values

    missing = [word for each in find_missing_values(plan) for word in ("--fill", f"{each}=VALUE")]
    return command("apply", planning.at, *options_of(planning.hints), *missing, *allow_options(plan))


def hinted_command(planning: Planning, plan: MigrationPlan) -> str:
    """Return the command that plans what was probably meant: renames, and values for old rows; empty for the same."""
    from fastapi_easy.application.migrations.planning.suggestions import suggest_hints

    hints = suggest_hints(plan, planning.hints)
    return "" if hints == planning.hints else command("plan", planning.at, *options_of(hints))


def allow_options(plan: MigrationPlan) -> list[str]:
    """Return the options `--allow` without which *plan* is not applied."""
    from fastapi_easy.application.migrations.plan_document import approvals_needed

    return [word for each in approvals_needed(plan) for word in ("--allow", each)]


def command(name: str, at: MigrationTarget, *options: str) -> str:
    """Return the command *name* on the same database."""
    words = [
        *("fastapi-easy", "migrate", name, at.target.path),
        *([] if at.target.folder == CURRENT_FOLDER else ["--app-dir", str(at.target.folder)]),
        *([] if at.database is None else ["--database", at.database]),
        *options,
    ]
    return shlex.join(words)
