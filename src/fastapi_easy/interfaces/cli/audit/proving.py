"""The commands `audit prove` and `audit consistency`."""

import json
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from fastapi_easy.application.audit.verification.prove_trail import GrowthProof
from fastapi_easy.interfaces.cli.audit.outcomes import chosen_trail, value_of
from fastapi_easy.interfaces.cli.audit.tasks import LoadAuditTasks
from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

Stream: TypeAlias = Annotated[str, typer.Argument(show_default=False)]

Database: TypeAlias = Annotated[
    str | None, typer.Option(help="The database whose trail is meant.", show_default="the only one")
]


def add_proofs(group: typer.Typer, load_tasks: LoadAuditTasks) -> None:
    """Add the commands to *group*."""

    @group.command()
    def prove(
        app: TargetPath,
        stream: Stream,
        seq: Annotated[int, typer.Argument(min=1, show_default=False)],
        database: Database = None,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Print the proof that an entry is in the trail; `audit verify --proof` checks it without the database."""
        with report_command_errors(debug=debug):
            proof = value_of(
                load_tasks().ask(
                    Target(path=app, folder=app_dir),
                    lambda opened: chosen_trail(opened, database).proofs.prove(stream, seq),
                )
            )
        typer.echo(str(proof), nl=False)

    @group.command()
    def consistency(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        stream: Stream,
        old: Annotated[
            str, typer.Argument(help="A number of entries, or a file with a note.", show_default=False)
        ],
        new: Annotated[str, typer.Argument(help="The same, of the later state.", show_default=False)],
        database: Database = None,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Prove that one signed state of a stream grew out of another: that nothing in it was changed since."""
        with report_command_errors(debug=debug):
            states = _state(old), _state(new)
            grown: GrowthProof = value_of(
                load_tasks().ask(
                    Target(path=app, folder=app_dir),
                    lambda opened: chosen_trail(opened, database).proofs.prove_growth(stream, *states),
                )
            )
        typer.echo(_as_json(stream, grown) if as_json else _as_text(stream, grown))
        raise typer.Exit(0 if grown.holds else 1)


def _state(text: str) -> str:
    if text.isdecimal():
        return text
    try:
        return Path(text).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{text} is neither a number of entries nor a file with a note") from error


def _as_json(stream: str, grown: GrowthProof) -> str:
    members = {
        "stream": stream,
        "old": {"size": grown.old.size, "root": grown.old.root.hex()},
        "new": {"size": grown.new.size, "root": grown.new.root.hex()},
        "proof": [each.hex() for each in grown.path],
        "consistent": grown.holds,
    }
    return json.dumps(members, indent=2)


def _as_text(stream: str, grown: GrowthProof) -> str:
    if grown.holds:
        return f"The {grown.new.size} entries of {stream} begin with the {grown.old.size} that were signed before."
    return f"The {grown.new.size} entries of {stream} do not begin with the {grown.old.size} that were signed before."
