"""The command `migrate repair`: look at a run that cannot go on, and decide what becomes of it."""

import json
from typing import Annotated

import typer
from returns.result import Failure

from fastapi_easy.domain.errors import NotFound
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.interfaces.cli.migrate.confirmation import confirm
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.migrate.failures import end, reported, unwrap
from fastapi_easy.interfaces.cli.migrate.masking import masked, on_one_line
from fastapi_easy.interfaces.cli.migrate.parameters import (
    DEFAULT_WAIT,
    Database,
    Wait,
    Yes,
    read_wait,
)
from fastapi_easy.interfaces.cli.migrate.reports.progress import shown_progress
from fastapi_easy.interfaces.cli.migrate.reports.run_report import run_document, run_text
from fastapi_easy.interfaces.cli.migrate.tasks import (
    LoadTasks,
    MigrationTarget,
    RepairAction,
    Repaired,
    Repairing,
    Verdict,
)
from fastapi_easy.interfaces.cli.output import table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate repair shop:app
  fastapi-easy migrate repair shop:app --retry
  fastapi-easy migrate repair shop:app --mark-done 3 --yes
\b
Only the ledger is changed, unless with --retry.
Exit codes: 0 every run has ended, or can go on; 7 a run needs a decision.
"""

_QUESTIONS = {
    RepairAction.ADOPT: "Record of each step in doubt what can be seen of it?",
    RepairAction.RETRY: "Execute the steps in doubt again, and go on?",
    RepairAction.MARK_DONE: "Record that the step took effect?",
    RepairAction.ABANDON: "Give the run up, and leave the schema as it is?",
}


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `repair` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def repair(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        database: Database = None,
        adopt: Annotated[
            bool, typer.Option("--adopt", help="Record of each step in doubt what can be seen of it.")
        ] = False,
        retry: Annotated[
            bool, typer.Option("--retry", help="Execute the steps in doubt again, and go on.")
        ] = False,
        mark_done: Annotated[
            int | None,
            typer.Option(
                min=1, metavar="STEP", help="The step with this number took effect.", show_default="none"
            ),
        ] = None,
        abandon: Annotated[
            bool, typer.Option("--abandon", help="Give the run up; what it has done stays.")
        ] = False,
        yes: Yes = False,
        wait: Wait = DEFAULT_WAIT,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Decide about a run that cannot go on.

        Without one of --adopt, --retry, --mark-done and --abandon, it only shows what the ledger and the database say
        of each step.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        repairing = Repairing(
            at=MigrationTarget(target=Target(path=app, folder=app_dir), database=database),
            action=_action(adopt=adopt, retry=retry, mark_done=mark_done is not None, abandon=abandon),
            step=None if mark_done is None else mark_done - 1,
            wait=read_wait(wait),
        )
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            if not yes and (question := _QUESTIONS.get(repairing.action)):
                confirm(tasks, question, as_json=as_json)
            with shown_progress() as watch:
                outcome = tasks.repair(repairing, watch)
            if isinstance(outcome, Failure) and isinstance(outcome.failure(), NotFound):
                end(
                    ExitCode.USAGE,
                    f"there is no step {mark_done} that is not done: repair without options lists the steps",
                    as_json=as_json,
                )
            found = unwrap(outcome, as_json=as_json)
            typer.echo(json.dumps(_to_json(found), indent=2) if as_json else _to_text(found))
        raise typer.Exit(_exit_code(found).value)


def _action(*, adopt: bool, retry: bool, mark_done: bool, abandon: bool) -> RepairAction:
    chosen = [
        *([RepairAction.ADOPT] if adopt else []),
        *([RepairAction.RETRY] if retry else []),
        *([RepairAction.MARK_DONE] if mark_done else []),
        *([RepairAction.ABANDON] if abandon else []),
    ]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --adopt, --retry, --mark-done and --abandon")
    return chosen[0] if chosen else RepairAction.SHOW


def _exit_code(found: Repaired) -> ExitCode:
    blocked = found.run is not None and found.run.state is RunState.BLOCKED
    return ExitCode.NEEDS_REPAIR if blocked else ExitCode.DONE


def _to_json(found: Repaired) -> dict[str, object]:
    return {
        "run": run_document(found.run) if found.run else None,
        "verdicts": [
            {
                "ix": each.index,
                "summary": each.summary,
                "recorded": each.recorded.value,
                "effect": each.effect.value,
                "advice": masked(each.advice),
            }
            for each in found.verdicts
        ],
    }


_HEADINGS = ("#", "STEP", "RECORDED AS", "IN THE DATABASE", "ADVICE")


def _row(verdict: Verdict) -> tuple[str, ...]:
    effect = verdict.effect.value.replace("_", " ")
    summary, advice = on_one_line(verdict.summary), on_one_line(verdict.advice)
    return str(verdict.index + 1), summary, verdict.recorded.value, effect, advice or "-"


def _to_text(found: Repaired) -> str:
    said = "every run has ended: there is nothing to repair" if found.run is None else run_text(found.run)
    return "\n".join(
        [said, *(["", table([_HEADINGS, *map(_row, found.verdicts)])] if found.verdicts else [])]
    )
