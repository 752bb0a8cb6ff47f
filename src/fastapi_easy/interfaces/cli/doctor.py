"""The command `doctor`: check an application and its environment."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Check, Diagnosis, State, Target, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy doctor shop:app
  fastapi-easy doctor shop:app --all
  fastapi-easy doctor shop:Shop --json
\b
Exit codes: 0 no problems, 1 something is wrong, 2 there is no such app.
"""


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command `doctor` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def doctor(
        app: TargetPath,
        as_json: Json = False,
        everything: Annotated[
            bool, typer.Option("--all", help="List every setting, and what is installed for speed.")
        ] = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Check settings, declarations and databases.

        No table is changed, and no file is made. Of the settings those are listed that are not the defaults.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        with report_command_errors(debug=debug):
            found = tasks.diagnose(Target(path=app, folder=app_dir))
        typer.echo(json.dumps(_to_json(found), indent=2) if as_json else _to_text(found, everything))
        raise typer.Exit(0 if found.is_healthy else 1)


def _to_json(found: Diagnosis) -> Mapping[str, object]:
    return {
        "well": found.is_healthy,
        "settings": [asdict(each) for each in found.settings],
        "checks": [
            {"area": each.area, "state": each.state.value, "sentence": each.message, **each.details}
            for each in found.checks
        ],
    }


def _to_text(found: Diagnosis, everything: bool) -> str:
    parts = []
    if settings := _settings(found, everything):
        parts += [table([("SETTING", "VALUE", "FROM"), *settings]), ""]
    shown = [each for each in found.checks if everything or each.area != "speed"]
    parts.append(table([(each.state.value, each.area, _on_one_line(each)) for each in shown]))
    wrong = sum(each.state is State.WRONG for each in found.checks)
    parts += [
        "",
        "No problems found."
        if found.is_healthy
        else f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong.",
    ]
    return "\n".join(parts)


def _settings(found: Diagnosis, everything: bool) -> list[tuple[str, str, str]]:
    return [
        (each.name, each.value, each.source)
        for each in found.settings
        if everything or each.source != "default"
    ]


def _on_one_line(check: Check) -> str:
    return " ".join(check.message.split())
