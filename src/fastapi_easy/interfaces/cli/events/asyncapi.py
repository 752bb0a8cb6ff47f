"""The command `asyncapi`: describe the messages of an application."""

import importlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target, Tasks

_EXAMPLES: Final = """\b
Examples:
  fastapi-easy asyncapi shop:app > asyncapi.json
  fastapi-easy asyncapi shop:app --yaml
"""


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command `asyncapi` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def asyncapi(
        app: TargetPath,
        as_yaml: Annotated[bool, typer.Option("--yaml/--json", help="Print YAML, or JSON.")] = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Print the AsyncAPI document of what an application publishes and consumes."""
        with report_command_errors(debug=debug):
            document = tasks.describe_messages(Target(path=app, folder=app_dir))
            text = _yaml(document) if as_yaml else json.dumps(document, indent=2, ensure_ascii=False)
        typer.echo(text.rstrip("\n"))


def _yaml(document: Mapping[str, Any]) -> str:
    try:
        yaml: Any = importlib.import_module("yaml")
    except ModuleNotFoundError as error:
        raise CommandError('PyYAML is not installed: pip install "fastapi_easy[yaml]"') from error
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return text
