"""What the rules say of migration scripts, without a database."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from returns.result import Failure, Success

from fastapi_easy.application.migrations.assessing.assessment import assess
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.migrations.suppressions import read_suppressions
from fastapi_easy.domain.ports.schema_store import Draft, StoredSchema
from fastapi_easy.infrastructure.migrations.scripts.files import compile_files
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.relational.server import server_name_of

__all__ = ["LintedScripts", "lint_scripts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintedScripts:
    """What the rules say of some scripts.

    Attributes:
        plan: Their steps, with findings; nothing is known of any data.

        places: The file and the line of each step.
    """

    plan: MigrationPlan
    places: tuple[tuple[Path, int], ...]


def lint_scripts(files: Sequence[Path], server: str, today: datetime.date) -> Outcome[LintedScripts]:
    """Ask the rules about *files*, the scripts of one folder.

    Args:
        files: The scripts.

        server: What they are for: `postgresql`, `mysql`, `mariadb` or `sqlite`.

        today: The day, for suppressions.

    Fails with:
        MigrationStopped: One of them is no script, or does what is not supported.
    """
    dialect = server_name_of(server)
    try:
        compiled = compile_files(files, server)
        suppressions = [found for each in compiled for found in read_suppressions(each.script.text)]
    except ScriptRefusal as error:
        return Failure(MigrationStopped("", error.stop, str(error)))
    except ValueError as error:
        return Failure(MigrationStopped("", ScriptRefusal("").stop, str(error)))
    stored = StoredSchema(fingerprint="", server_version="", is_mariadb=server == "mariadb")
    steps = tuple(step for each in compiled for step in each.steps)
    assessment = assess(
        Draft(stored=stored, declared="", steps=steps),
        Statistics(),
        RuleSet(),
        dialect=dialect,
        suppressions=suppressions,
        today=today,
    )
    plan = MigrationPlan(
        database="",
        dialect=dialect,
        source="files",
        revisions=tuple(each.script.revision for each in compiled),
        steps=assessment.steps,
        findings=assessment.findings,
    )
    places = tuple((each.script.path, each.line_of(step)) for each in compiled for step in each.steps)
    return Success(LintedScripts(plan=plan, places=places))
