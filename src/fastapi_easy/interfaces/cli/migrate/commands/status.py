"""The command `migrate status`: how the stored schema, the ledger and the declarations stand to each other."""

import json
from typing import Annotated

import typer

from fastapi_easy.domain.migrations.run import Run, RunState
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode, exit_code_of
from fastapi_easy.interfaces.cli.migrate.failures import reported, unwrap
from fastapi_easy.interfaces.cli.migrate.masking import masked, on_one_line
from fastapi_easy.interfaces.cli.migrate.parameters import Database
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import counted, server_of, totals
from fastapi_easy.interfaces.cli.migrate.reports.run_report import run_document, run_line
from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks, MigrationStatus, MigrationTarget
from fastapi_easy.interfaces.cli.output import table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate status shop:app
  fastapi-easy migrate status shop:app --check --json
\b
Exit codes: 0, and with --check 2 there is something to apply, 6 the schema has drifted, 7 a run needs repair.
"""

SCHEMA = "fe.migration-status/1"
"""What the member `schema` of every document says."""

_MOST_RUNS = 5
"""So many of the runs that were applied are shown to people."""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `status` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def status(
        app: TargetPath,
        database: Database = None,
        check: Annotated[
            bool, typer.Option("--check", help="Exit with another code than 0 unless all is as declared.")
        ] = False,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Show what is applied, pending, or has drifted. Changes nothing.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        at = MigrationTarget(target=Target(path=app, folder=app_dir), database=database)
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            found = unwrap(tasks.status(at), as_json=as_json)
            typer.echo(json.dumps(_to_json(found), indent=2) if as_json else _to_text(found))
        raise typer.Exit((exit_code_of_status(found) if check else ExitCode.DONE).value)


def exit_code_of_status(found: MigrationStatus) -> ExitCode:
    """Return how `status --check` ends: the state that needs a person most decides."""
    if found.unfinished is not None and found.unfinished.state is RunState.BLOCKED:
        return ExitCode.NEEDS_REPAIR
    if found.problem is not None:
        return exit_code_of(found.problem)
    if found.drift or found.ahead:
        return ExitCode.DIFFERENT
    return ExitCode.PENDING if found.pending or found.unfinished is not None else ExitCode.DONE


def _to_json(found: MigrationStatus) -> dict[str, object]:
    from fastapi_easy.application.migrations.plan_document import document_of

    problem = found.problem
    return {
        "schema": SCHEMA,
        "database": found.pending.database,
        "dialect": found.pending.dialect,
        "server_version": found.server_version,
        "head": found.head,
        "applied": [
            {"run_id": each.id, "plan_id": each.plan_id, "finished_at": _moment(each)}
            for each in found.applied
        ],
        "pending": document_of(found.pending) if found.pending else None,
        "unfinished": run_document(found.unfinished) if found.unfinished else None,
        "drift": [masked(each) for each in found.drift],
        "ahead": masked(found.ahead),
        "holder": masked(found.holder),
        "leftovers": [masked(each) for each in found.leftovers],
        "problem": problem
        and {
            "code": problem.stop.value,
            "message": masked(problem.message),
            "details": [masked(each) for each in problem.details],
        },
    }


def _to_text(found: MigrationStatus) -> str:
    plan = found.pending
    newest = [f"plan {each.plan_id}, run {each.id}, {_moment(each)}" for each in found.applied[:_MOST_RUNS]]
    older = len(found.applied) - len(newest)
    rows = [
        ("database", f"{plan.database} ({server_of(plan.dialect, found.server_version)})"),
        *(("applied", each) for each in newest or [found.head or "nothing"]),
        *([("", f"and {counted(older, 'older run')}")] if older else []),
        *([("pending", totals(plan) if plan else "nothing")] if found.problem is None else []),
        *([("unfinished", run_line(found.unfinished))] if found.unfinished else []),
        *([("migrating now", found.holder)] if found.holder else []),
        *(("drift", each) for each in found.drift),
        *([("ahead", found.ahead)] if found.ahead else []),
        *(("left over", each) for each in found.leftovers),
        *([("problem", found.problem.message)] if found.problem else []),
        *(("", each) for each in (found.problem.details if found.problem else ())),
    ]
    return table([(name, on_one_line(value)) for name, value in rows])


def _moment(run: Run) -> str | None:
    return run.finished_at.isoformat(timespec="seconds") if run.finished_at else None
