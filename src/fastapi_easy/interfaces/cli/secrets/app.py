"""The commands `secrets generate`, `status` and `rotate`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES: Final = """\b
Examples:
  fastapi-easy secrets rotate shop:app --dry-run
  fastapi-easy secrets rotate shop:app --resource customers
\b
Exit codes: 0 success, 1 some values cannot be decrypted, 2 the command cannot be run as given.
"""


@dataclass(frozen=True, slots=True)
class KeyCount:
    """How many stored values of one field are encrypted with one key; `plaintext` for those that are not encrypted."""

    resource: str
    field: str
    key: str
    values: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class RotationResult:
    """What a rotation did to one resource, or would do."""

    resource: str
    examined: int
    changed: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretTasks:
    """The functions behind the commands. Each raises `CommandError`.

    Attributes:
        generate: Returns a new key.

        count: Counts the stored values of each field and key, of one resource or all.

        rotate: Encrypts anew what is not encrypted with the current key, of one resource or all; tells the last
            argument of its progress. Given true it changes nothing.
    """

    generate: Callable[[], str]
    count: Callable[[Target, str | None], Sequence[KeyCount]]
    rotate: Callable[[Target, str | None, bool, Callable[[RotationResult], None]], Sequence[RotationResult]]


Resource = Annotated[
    str | None,
    typer.Option(
        "--resource",
        help="One resource only, or a table: fe_webhooks, fe_audit_subject.",
        show_default="all of them",
    ),
]


def add_to(cli: typer.Typer, tasks: SecretTasks) -> None:
    """Add the commands below `secrets` to *cli*."""
    secrets = typer.Typer(
        name="secrets",
        help="Make keys of encrypted fields, and encrypt what is stored with the current one.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @secrets.command()
    def generate(debug: Debug = False) -> None:
        """Print a new key for the setting encryption.keys. It is stored nowhere."""
        with report_command_errors(debug=debug):
            typer.echo(tasks.generate())

    @secrets.command()
    def status(
        app: TargetPath,
        resource: Resource = None,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Count how many stored values are encrypted with which key. A key that none is left of may be removed."""
        with report_command_errors(debug=debug):
            found = tasks.count(Target(path=app, folder=app_dir), resource)
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in found], indent=2))
            return
        rows = [
            (
                each.resource,
                each.field,
                f"{each.key}{' (current)' if each.is_current else ''}",
                str(each.values),
            )
            for each in found
        ]
        typer.echo(table([("RESOURCE", "FIELD", "KEY", "VALUES"), *rows]))

    @secrets.command(epilog=_EXAMPLES)
    def rotate(
        app: TargetPath,
        resource: Resource = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; change nothing.")] = False,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Encrypt every value with the current key, those that are not encrypted yet included.

        May be interrupted and started again, and runs beside the application.
        """

        def progress(each: RotationResult) -> None:
            typer.echo(f"{each.resource}: {each.examined} examined, {each.changed} changed", err=True)

        with report_command_errors(debug=debug):
            done = tasks.rotate(Target(path=app, folder=app_dir), resource, dry_run, progress)
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in done], indent=2))
        else:
            rows = [
                (each.resource, str(each.examined), str(each.changed), str(each.unreadable)) for each in done
            ]
            would = "WOULD CHANGE" if dry_run else "CHANGED"
            typer.echo(table([("RESOURCE", "EXAMINED", would, "UNREADABLE"), *rows]))
        raise typer.Exit(1 if any(each.unreadable for each in done) else 0)

    cli.add_typer(secrets)
