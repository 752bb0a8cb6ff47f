"""The command `migrate apply`: execute what differs, or a plan that was reviewed."""

import dataclasses
import json
from typing import Annotated

import typer

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, RunState
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.interfaces.cli.migrate.confirmation import confirm
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.migrate.failures import end, reported, unwrap
from fastapi_easy.interfaces.cli.migrate.parameters import (
    DEFAULT_WAIT,
    Allowed,
    Database,
    DropUndeclared,
    Fills,
    Online,
    PlanFile,
    Renames,
    Usings,
    Wait,
    Yes,
    read_approvals,
    read_hints,
    read_wait,
)
from fastapi_easy.interfaces.cli.migrate.permission import refuse_unless_allowed
from fastapi_easy.interfaces.cli.migrate.plan_file import read_plan_file, rest_of
from fastapi_easy.interfaces.cli.migrate.reports.plan_report import NOTHING, print_plan
from fastapi_easy.interfaces.cli.migrate.reports.progress import shown_progress
from fastapi_easy.interfaces.cli.migrate.reports.run_report import run_document, run_line, run_text
from fastapi_easy.interfaces.cli.migrate.reports.sql_script import sql_script
from fastapi_easy.interfaces.cli.migrate.tasks import (
    Applying,
    LoadTasks,
    MigrationTarget,
    MigrationTasks,
    Planning,
)
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate apply shop:app
  fastapi-easy migrate apply shop:app --yes --allow DS103:books.legacy
  fastapi-easy migrate apply shop:app --yes --plan plan.json
  fastapi-easy migrate apply shop:app --dry-run
\b
A run that was cut off goes on: run the same command again.
Exit codes: 0 applied, or nothing to do; 1 nobody confirmed; see also fastapi-easy migrate --help.
"""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `apply` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def apply(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        database: Database = None,
        plan: PlanFile = None,
        allow: Allowed = None,
        yes: Yes = False,
        wait: Wait = DEFAULT_WAIT,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Print what would be executed, and execute nothing.")
        ] = False,
        steps: Annotated[
            int | None,
            typer.Option(min=1, help="Stop after so many steps; apply again to go on.", show_default="all"),
        ] = None,
        rename: Renames = None,
        fill: Fills = None,
        using: Usings = None,
        drop_undeclared: DropUndeclared = False,
        online: Online = True,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Execute the steps to the declared schema.

        Each is executed once, and recorded; a run that was cut off goes on.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        planning = Planning(
            at=MigrationTarget(target=Target(path=app, folder=app_dir), database=database),
            hints=read_hints(
                renames=rename, fills=fill, usings=using, drop_undeclared=drop_undeclared, online=online
            ),
        )
        if plan is not None and (rename or fill or using or drop_undeclared or not online):
            raise typer.BadParameter("--plan already says what is executed: leave the other options out")
        applying = Applying(
            planning=planning, approvals=read_approvals(allow), wait=read_wait(wait), steps=steps
        )
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            if plan is not None:
                applying = dataclasses.replace(applying, plan=read_plan_file(plan)[0])
            if dry_run:
                _print_dry_run(tasks, applying, as_json=as_json)
                return
            if not yes:
                applying = _confirmed(tasks, applying, as_json=as_json)
            known = None if applying.plan is None else len(applying.plan.steps)
            with shown_progress(known) as watch:
                run = unwrap(tasks.apply(applying, watch), as_json=as_json)
            _print_run(run, as_json=as_json)


def _print_run(run: Run | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(run_document(run), indent=2))
    else:
        typer.echo(NOTHING if run is None or not run.id else run_text(run))


def _print_dry_run(tasks: MigrationTasks, applying: Applying, *, as_json: bool) -> None:
    from fastapi_easy.application.migrations.plan_document import write_plan

    approvals = applying.approvals
    unfinished = unwrap(tasks.status(applying.planning.at), as_json=as_json).unfinished
    if unfinished is None:
        plan = _plan(tasks, applying, as_json=as_json)
    else:
        _refuse_blocked(unfinished, as_json=as_json)
        typer.echo(f"{run_line(unfinished)}. This is left of it; what comes then is not known yet.", err=True)
        plan = rest_of(unfinished)
        approvals = Approvals(approvals.given | frozenset(unfinished.approvals))
    limited = dataclasses.replace(plan, steps=plan.steps[: applying.steps])
    typer.echo(write_plan(limited, indent=2) if as_json else sql_script(limited), nl=as_json)
    refuse_unless_allowed(limited, approvals)


def _confirmed(tasks: MigrationTasks, applying: Applying, *, as_json: bool) -> Applying:
    """Return *applying* with exactly the plan that a person was shown and has agreed to."""
    from fastapi_easy.application.migrations.execution.unfinished import certainly_did_nothing

    unfinished = unwrap(tasks.status(applying.planning.at), as_json=as_json).unfinished
    # Of a run that has failed before anything was changed nothing is left: what is applied now takes its place.
    is_over = unfinished and unfinished.state is RunState.FAILED and certainly_did_nothing(unfinished)
    if unfinished is not None and not is_over:
        _refuse_blocked(unfinished, as_json=as_json)
        # What comes after it is not known before it has ended.
        typer.echo(f"{run_line(unfinished)}.", err=True)
        confirm(tasks, "Go on with it, and with what is left then?", as_json=as_json)
        return applying
    plan = _plan(tasks, applying, as_json=as_json)
    if not plan:
        return applying
    if not as_json:
        print_plan(plan)
        typer.echo()
    refuse_unless_allowed(plan, applying.approvals, steps=applying.steps, as_json=as_json)
    # A script has said with --allow what it allows, and that was checked.
    confirm(tasks, "Apply it?", as_json=as_json, needs_somebody=False)
    return dataclasses.replace(applying, plan=plan)


def _plan(tasks: MigrationTasks, applying: Applying, *, as_json: bool) -> MigrationPlan:
    """Return the plan that was reviewed, also one without steps, or else make one."""
    if applying.plan is not None:
        return applying.plan
    return unwrap(tasks.plan(applying.planning), as_json=as_json)


def _refuse_blocked(run: Run, *, as_json: bool) -> None:
    if run.state is RunState.BLOCKED:
        end(
            ExitCode.NEEDS_REPAIR,
            run_line(run),
            code=MigrationStop.NEEDS_REPAIR.value,
            run_id=run.id,
            as_json=as_json,
        )
