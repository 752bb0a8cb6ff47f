"""`doctor`: what is wrong with an application and its surroundings."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import typer

from fastapi_easy.interfaces.cli.output import refusals, table
from fastapi_easy.interfaces.cli.parameters import HERE, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Check, Diagnosis, State, Target, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy doctor shop:app
  fastapi-easy doctor shop:Shop --json
\b
Exit codes: 0 all is well, 1 something is wrong, 2 there is no such app.
"""


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def doctor(app: TargetPath, as_json: Json = False, app_dir: Folder = HERE, debug: Debug = False) -> None:
        """Check settings, declarations and databases.

        No table is changed, and no file is made.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        with refusals(debug=debug):
            found = tasks.diagnose(Target(path=app, folder=app_dir))
        typer.echo(json.dumps(_plain(found), indent=2) if as_json else _worded(found))
        raise typer.Exit(0 if found.is_well else 1)


def _plain(found: Diagnosis) -> Mapping[str, Any]:
    return {
        "well": found.is_well,
        "settings": [asdict(each) for each in found.settings],
        "checks": [
            {"area": each.area, "state": each.state.value, "sentence": each.sentence, **each.details}
            for each in found.checks
        ],
    }


def _worded(found: Diagnosis) -> str:
    parts = []
    if found.settings:
        parts += [table([("SETTING", "VALUE", "FROM"), *_settings(found)]), ""]
    parts.append(table([(each.state.value, each.area, _indented(each)) for each in found.checks]))
    wrong = sum(each.state is State.WRONG for each in found.checks)
    parts += [
        "",
        "All is well." if found.is_well else f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong.",
    ]
    return "\n".join(parts)


def _settings(found: Diagnosis) -> list[tuple[str, str, str]]:
    return [(each.name, each.value, each.source) for each in found.settings]


def _indented(check: Check) -> str:
    return " ".join(check.sentence.split())
