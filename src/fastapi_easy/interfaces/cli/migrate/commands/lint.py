"""The command `migrate lint`: what the rules say, for reviewers and for continuous integration."""

import enum
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.migrate.failures import reported, unwrap
from fastapi_easy.interfaces.cli.migrate.parameters import (
    Allowed,
    Database,
    DropUndeclared,
    Fills,
    Online,
    PlanFile,
    Renames,
    Usings,
    read_approvals,
    read_hints,
)
from fastapi_easy.interfaces.cli.migrate.permission import refuse_unless_allowed
from fastapi_easy.interfaces.cli.migrate.plan_file import STDIN, read_plan_file
from fastapi_easy.interfaces.cli.migrate.reports.findings_document import findings_document
from fastapi_easy.interfaces.cli.migrate.reports.github import annotations, append_summary
from fastapi_easy.interfaces.cli.migrate.reports.placed_findings import (
    PlacedFinding,
    place_findings,
    place_of,
    places_in_plan,
)
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import counted, finding_lines, findings_of
from fastapi_easy.interfaces.cli.migrate.reports.sarif import sarif_document
from fastapi_easy.interfaces.cli.migrate.tasks import (
    Linted,
    LoadTasks,
    MigrationTarget,
    Place,
    Planning,
    ScriptLinting,
)
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate lint shop:app
  fastapi-easy migrate lint shop:app --format github
  fastapi-easy migrate lint shop:app --format sarif > findings.sarif
  fastapi-easy migrate lint --plan plan.json --allow caution
  fastapi-easy migrate lint --script migrations/versions/4f1c_isbn.py --server mysql
\b
Exit codes: 0 nothing that is not allowed, 3 an approval would be missing.
"""


class Server(enum.StrEnum):
    """What scripts are for."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    SQLITE = "sqlite"


class Format(enum.StrEnum):
    """How findings are printed."""

    TEXT = "text"
    GITHUB = "github"
    SARIF = "sarif"
    JSON = "json"


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `lint` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def lint(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: Annotated[str, typer.Argument(metavar="[MODULE:APP]", show_default=False)] = "",
        plan: PlanFile = None,
        script: Annotated[
            list[Path] | None,
            typer.Option(metavar="FILE", help="A migration script; may be repeated.", show_default="none"),
        ] = None,
        server: Annotated[
            Server, typer.Option(help="What the scripts are for: postgresql, mysql, mariadb or sqlite.")
        ] = Server.POSTGRESQL,
        output: Annotated[
            Format, typer.Option("--format", help="text, github (annotations), sarif or json.")
        ] = Format.TEXT,
        allow: Allowed = None,
        database: Database = None,
        rename: Renames = None,
        fill: Fills = None,
        using: Usings = None,
        drop_undeclared: DropUndeclared = False,
        online: Online = True,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Say what the rules find. Changes nothing.

        They look at pending scripts, at what differs, or at a plan.

        A --plan or --script needs no application, and no database.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        if [bool(app), plan is not None, bool(script)].count(True) != 1:
            raise typer.BadParameter("name either an application, or a --plan, or a --script")
        output = Format.JSON if as_json else output
        approvals = read_approvals(allow)
        target = Target(path=app, folder=app_dir)
        hints = read_hints(
            renames=rename, fills=fill, usings=using, drop_undeclared=drop_undeclared, online=online
        )
        planning = Planning(at=MigrationTarget(target=target, database=database), hints=hints)
        with reported(as_json=output is Format.JSON, debug=debug):
            tasks = load_tasks()
            if script:
                asked = ScriptLinting(files=tuple(script), server=server.value)
                linted = unwrap(tasks.lint_scripts(asked), as_json=output is Format.JSON)
                elsewhere = None
            elif plan is None:
                linted = unwrap(tasks.lint(planning), as_json=output is Format.JSON)
                elsewhere = place_of(target)
            else:
                linted = _read(plan)
                elsewhere = None if plan == STDIN else Place(plan)
            _print(output, linted, place_findings(linted, elsewhere))
        refuse_unless_allowed(linted.plan, approvals)


def _read(file: Path) -> Linted:
    plan, text = read_plan_file(file)
    return Linted(plan=plan, places={} if file == STDIN else places_in_plan(file, text))


def _print(output: Format, linted: Linted, findings: Sequence[PlacedFinding]) -> None:
    match output:
        case Format.TEXT:
            typer.echo(_text(linted))
        case Format.GITHUB:
            for line in annotations(findings):
                typer.echo(line)
            if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
                append_summary(Path(summary), findings)
        case Format.SARIF:
            typer.echo(json.dumps(sarif_document(findings), indent=2))
        case Format.JSON:
            typer.echo(json.dumps(findings_document(linted.plan, findings), indent=2))


def _text(linted: Linted) -> str:
    found = findings_of(linted.plan)
    blocks = ["\n".join(finding_lines(each)) for each in found]
    total = f"{counted(len(linted.plan.steps), 'step')}, {counted(len(found), 'finding')}."
    return "\n\n".join([*blocks, total])
